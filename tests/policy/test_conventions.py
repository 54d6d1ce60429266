"""House rules that no linter knows."""

import ast
import re
from collections.abc import Iterator, Mapping

from tests.policy.sources import (
    ROOT,
    FunctionNode,
    Source,
    app_files,
    called_name,
    enclosing_function,
    is_kernel,
    python_files,
)

CATCH_ALL: Mapping[tuple[str, str], str] = {
    ("app/forgetting/service/reinforcing.py", "flush"): "one owner must not stop the others",
    ("app/jobs/service/asides.py", "trying"): "one piece of a task must not stop the others",
    ("app/jobs/service/runner.py", "_attempt"): "the edge of a task: any failure is its job's",
    ("app/jobs/tasks.py", "_work"): "the worker's loop: the database may go away",
    ("app/jobs/tasks.py", "_keep_house_of"): "one chore's failure must not stop the others",
    ("app/jobs/tasks.py", "_repeat"): "the worker's loop",
    ("app/kit/middleware.py", "__call__"): "the edge of the api",
    ("app/launcher/embedded.py", "start"): "stops what was started, and raises again",
    ("app/memories/service/enriching.py", "worked"): "one memory must not stop the others",
    ("app/sidecar/scheduler.py", "_run"): "the edge of a batch",
    ("app/sidecar/service.py", "load"): "the edge of the task that loads the model",
}

PAPER_ROOMS = ("forgetting", "linking", "thoughts", "profiles", "facts", "segmentation",
               "workspace", "feedback", "reasoning")  # fmt: skip
PAPER_FOLDERS = (
    "app/sidecar/architectures/",
    "app/sidecar/compressors/",
    "app/sidecar/parametric/",
)

_SOURCE_LINE = re.compile(r"^\s*Source: \S", re.MULTILINE)
_IMPURE_CALLS = {
    *("now", "utcnow", "today", "uuid1", "uuid4", "uuid7", "getrandbits", "urandom"),
    *("open", "input", "print", "seed"),
}
_UNFINISHED = re.compile(
    r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b"
)


def _catches_all(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(one) in {"Exception", "BaseException"} for one in caught)


def test_everything_is_caught_only_at_the_edges() -> None:
    found = {
        (source.path, enclosing_function(node)): source.at(node)
        for source in app_files()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_all(node)
    }

    assert {place for key, place in found.items() if key not in CATCH_ALL} == set()
    assert set(CATCH_ALL) <= set(found), "no longer needed"


def test_nothing_is_printed() -> None:
    found = [
        source.at(call)
        for source in python_files("app", "migrations", "tests")
        for call in source.calls()
        if isinstance(call.func, ast.Name) and call.func.id in {"print", "breakpoint"}
    ]

    assert found == []


def test_nothing_is_left_for_later() -> None:
    folders = ("app", "migrations", "scripts", "tests", "docs", ".ci")
    texts = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*texts, *ROOT.glob("*.md"), *ROOT.glob("*.toml")]
        if path.suffix in {"", ".md", ".py", ".sh", ".toml", ".yml"} and path.is_file()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _UNFINISHED.search(line)
    ]

    assert found == []


def _kernels() -> list[Source]:
    return [source for source in app_files() if is_kernel(source.path)]


def _undocumented(source: Source) -> Iterator[str]:
    if source.text.strip() and ast.get_docstring(source.tree) is None:
        yield f"{source.path}: the module"
    for node in source.tree.body:
        if not isinstance(node, FunctionNode | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            yield f"{source.at(node)} {node.name}"


def test_kernels_explain_themselves() -> None:
    assert [place for source in _kernels() for place in _undocumented(source)] == []


def test_kernels_know_neither_clock_nor_chance() -> None:
    found = [
        f"{source.at(call)} {called_name(call)}"
        for source in _kernels()
        for call in source.calls()
        if called_name(call) in _IMPURE_CALLS
        or (called_name(call) == "default_rng" and not call.args)
    ]

    assert found == []


def _is_of_a_paper(source: Source) -> bool:
    if not source.text.strip() or source.path.endswith("/__init__.py"):
        return False
    of_mechanism = is_kernel(source.path) and source.room in PAPER_ROOMS
    return of_mechanism or source.path.startswith(PAPER_FOLDERS)


def test_the_maths_of_a_paper_names_its_source() -> None:
    found = [
        source.path
        for source in app_files()
        if _is_of_a_paper(source) and not _SOURCE_LINE.search(source.text)
    ]

    assert found == []


def _is_empty_claim(test: ast.expr) -> bool:
    """Say whether an assertion holds whatever the code does."""
    if isinstance(test, ast.Constant | ast.Tuple | ast.JoinedStr):
        return not (isinstance(test, ast.Constant) and not test.value)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_is_empty_claim(one) for one in test.values)
    if isinstance(test, ast.Compare) and len(test.comparators) == 1:
        is_same = ast.dump(test.left) == ast.dump(test.comparators[0])
        calls = any(isinstance(node, ast.Call) for node in ast.walk(test))
        return is_same and not calls
    return False


def test_no_assertion_holds_whatever_happens() -> None:
    found = [
        source.at(node)
        for source in python_files("tests")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assert) and _is_empty_claim(node.test)
    ]

    assert found == []
