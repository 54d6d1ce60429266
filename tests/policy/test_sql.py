"""Where SQL may stand, how it is built, who may commit, and whose rows it may touch."""

import ast
import re
from collections.abc import Iterator, Mapping

from tests.policy.sources import (
    FunctionNode,
    Source,
    app_files,
    called_name,
    enclosing_function,
    is_repository,
    parent_of,
)

SQL_OUTSIDE_REPOSITORIES: Mapping[str, str] = {
    "app/kit/database.py": "enters a tenant and an owner; prepares each connection",
    "app/kit/readiness.py": "asks whether the database answers and has our columns",
    "app/jobs/client.py": "lets the queue's own connections act as the application role",
    "app/launcher/embedded.py": "makes the database of the embedded server",
    "app/launcher/migrations.py": "examines a server before it migrates it",
}

COMMITS: Mapping[str, str] = {
    "app/kit/database.py": "the one place; opens every transaction",
    "app/jobs/client.py": "ends the set-up of the queue's own connections",
}

JOINED_SQL: Mapping[tuple[str, str], str] = {
    ("app/retrieval/repository/recall.py", "_text"): "constant pieces and a model's number",
}
"""Functions that may put a statement together with ``+``."""

FOREIGN_TABLES: Mapping[str, tuple[frozenset[str], str]] = {
    "app/retrieval/repository/recall.py": (
        frozenset({"memories", "memory_keys", "token_bits_0", "conflicts"}),
        "the one statement behind a recall",
    ),
    "app/retrieval/repository/arms.py": (
        frozenset({
            "memory_keys", "postings", "owner_stats", "embeddings_0", "embedding_bits_0",
            "covered_keys", "uncovered_keys", "stem_counts",
        }),
        "the two arms of the one statement behind a recall",
    ),
    "app/retrieval/repository/filters.py": (
        frozenset({"memories"}), "filters of the one statement",
    ),
    "app/retrieval/repository/linked.py": (
        frozenset({"memories"}), "what is linked passes the same narrowing as what is found",
    ),
    "app/feedback/repository.py": (
        frozenset({"owners"}), "recalls are noted for owners that are still there",
    ),
    "app/retrieval/repository/neighbours.py": (
        frozenset({"memories"}), "the turns beside a hit in its session",
    ),
    "app/linking/repository/links.py": (
        frozenset({"memories"}), "a link is shown while both its memories are live",
    ),
    "app/linking/repository/notes.py": (
        frozenset({"memories"}), "a graph holds live memories only",
    ),
    "app/tenants/repository/erasure.py": (
        frozenset({"owner_stats", "embedding_models"}), "erase reaches every table",
    ),
    "app/tenants/repository/owners.py": (
        frozenset({"owner_stats"}), "an owner is made with its counters, which its lock is on",
    ),
    "app/jobs/repository.py": (
        frozenset({"owners", "tenants"}), "names a job's owner; housekeeping visits all tenants",
    ),
    "app/memories/repository/rows.py": (
        frozenset({"owners"}), "a key bound to an owner is checked by the owner's name",
    ),
    "app/memories/repository/sources.py": (
        frozenset({"episodes"}), "provenance: a memory's episode, and what goes with it",
    ),
    "app/facts/repository/conflicts.py": (
        frozenset({"memories", "memory_keys", "postings"}),
        "both sides of a conflict are shown; what holds the words of a denial",
    ),
    "app/facts/repository/facts.py": (
        frozenset({"memories"}), "a fact is shown while a memory that it stands on is live",
    ),
    "app/facts/repository/observations.py": (
        frozenset({"memories"}), "a hidden memory says nothing",
    ),
    "app/thoughts/repository/search.py": (
        frozenset({"memories", "memory_sources"}), "a thought is a memory; one statement a recall",
    ),
}  # fmt: skip
"""Tables of other rooms that a file of SQL may name, and why."""

UNSCOPED: Mapping[str, Mapping[str, str]] = {
    "app/jobs/repository.py": {
        "enqueue": "the new job holds tenant and owner",
        "queue_again": "its job was read within the tenant",
        "withdraw": "places in the queue, which holds ids only",
        "live": "places in the queue",
        "queue_depth": "counts for the operator's metrics",
        "backlog": "counts for the operator's metrics",
        "is_due": "the worker's view of the whole queue",
        "rescue": "the worker's view of the whole queue",
        "held_by": "the worker's view of the whole queue",
        "prune_queue": "housekeeping of the queue itself",
        "try_lock": "a lock, no rows",
    },
    "app/memories/repository/owners.py": {
        "_take": "a private helper that takes the statement first",
    },
    "app/memories/repository/derived.py": {
        "_gather": "a private helper that takes the statement first",
        "_nearest_by_bits": "a private helper that takes the statement first",
        "_nearest_of_all": "a private helper that takes the statement first",
    },
    "app/memories/repository/feed.py": {
        "quiet_seconds": "when the api last entered an owner; no rows",
    },
    "app/memories/repository/covering.py": {
        "add_hnsw": "embedding models are the operator's",
    },
    "app/memories/repository/vectors.py": {
        "models": "embedding models are the operator's",
        "active_model": "embedding models are the operator's",
        "add_model": "embedding models are the operator's",
        "set_state": "embedding models are the operator's",
        "set_bits": "embedding models are the operator's",
        "gaps": "re-embedding serves all tenants; a function returns ids only",
    },
    "app/retrieval/repository/questions.py": {
        "count_stems": "counts the words of a text; no rows",
    },
    "app/segmentation/repository.py": {
        "_read": "a private helper that takes the scoped statement",
    },
    "app/tenants/repository/erasure.py": {
        "_model_tables": "embedding models are the operator's",
        "_delete": "a private helper that takes the scoped statement",
    },
    "app/tenants/repository/keys.py": {
        "put": "the values hold the tenant; row-level security checks it",
    },
    "app/tenants/repository/tenants.py": {
        "enter_operator": "makes a setting, touches no rows",
        "lock_bootstrap": "a lock, no rows",
    },
}
"""Repository functions that take a session but no tenant after it, and why."""

_STATEMENT = re.compile(
    r"\s*(SELECT\s|INSERT INTO\s|UPDATE\s+\w+\s|DELETE FROM\s|WITH\s+\w+\s+AS\b|CREATE\s|ALTER\s"
    r"|DROP\s|GRANT\s|REVOKE\s|TRUNCATE\s|SET LOCAL\s|COPY\s|LOCK TABLE\s|BEGIN\b|COMMIT\b)"
)
_CLAUSE = re.compile(r"\b(SELECT\s|INSERT INTO\s|DELETE FROM\s|FROM\s+\w+\s+WHERE\b|VALUES \()")
_BUILDERS = {"text", "select", "insert", "update", "delete", "literal_column", "exec_driver_sql"}
_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|ONLY|TABLE|LATERAL)\s+([a-z_0-9]+)")


def _module_aliases(source: Source) -> tuple[set[str], set[str]]:
    """Return the names of SQLAlchemy's modules in a file, and of its builders of statements."""
    modules, builders = set(), set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            modules |= {a.asname or a.name for a in node.names if a.name == "sqlalchemy"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            builders |= {a.asname or a.name for a in node.names if a.name in _BUILDERS}
    return modules, builders


def _built_statements(source: Source) -> Iterator[ast.Call]:
    modules, builders = _module_aliases(source)
    for call in source.calls():
        module, _, name = ast.unparse(call.func).rpartition(".")
        if (module in modules and name in _BUILDERS) or (not module and name in builders):
            yield call


def _is_predicate_of_an_index(call: ast.Call) -> bool:
    keyword = parent_of(call)
    return isinstance(keyword, ast.keyword) and keyword.arg == "postgresql_where"


def _statements(source: Source) -> Iterator[str]:
    """Yield every place of a file that holds SQL."""
    for call in _built_statements(source):
        if not _is_predicate_of_an_index(call):
            yield source.at(call)
    for text in source.texts():
        if isinstance(text.value, str) and _STATEMENT.match(text.value):
            yield source.at(text)


def test_sql_stands_in_repositories_only() -> None:
    found = {
        source.path: sorted(set(_statements(source)))
        for source in app_files()
        if not is_repository(source.path) and any(_statements(source))
    }

    assert set(found) - set(SQL_OUTSIDE_REPOSITORIES) == set(), found
    assert set(SQL_OUTSIDE_REPOSITORIES) - set(found) == set(), "no longer needed"


def _is_sql(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(_is_sql(part) for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(_STATEMENT.match(node.value) or _CLAUSE.search(node.value))
    return False


def _spliced(source: Source) -> Iterator[ast.expr]:
    """Yield SQL that is put together from texts: f-strings, ``%``, ``.format`` and ``+``."""
    for node in ast.walk(source.tree):
        parts: list[ast.expr] = []
        if not isinstance(node, ast.expr):
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [node]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
            parts = [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # psycopg's sql.SQL(…).format quotes; a text's own format does not.
            parts = [node.func.value] if node.func.attr == "format" else []
        if any(map(_is_sql, parts)):
            yield node


def test_no_sql_is_put_together_from_texts() -> None:
    found = {
        (source.path, enclosing_function(node)): source.at(node)
        for source in app_files()
        for node in _spliced(source)
    }

    assert {place for key, place in found.items() if key not in JOINED_SQL} == set()
    assert set(JOINED_SQL) <= set(found), "no longer needed"


def test_one_place_commits() -> None:
    found: dict[str, list[str]] = {}
    for source in app_files():
        for call in source.calls():
            is_method = isinstance(call.func, ast.Attribute)
            if is_method and called_name(call) in {"commit", "rollback"}:
                found.setdefault(source.path, []).append(source.at(call))

    assert set(found) - set(COMMITS) == set(), found
    assert set(COMMITS) - set(found) == set(), "no longer needed"


def _annotation(argument: ast.arg) -> str:
    return ast.unparse(argument.annotation) if argument.annotation else ""


def _is_scoped(function: FunctionNode) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args]
    if len(arguments) < 2:
        return False
    second = arguments[1]
    return _annotation(second) == "Scope" or (
        second.arg == "tenant_id" and _annotation(second) == "UUID"
    )


def _takes_session(function: FunctionNode) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return any(_annotation(argument) == "AsyncSession" for argument in arguments)


def test_every_query_says_whose_rows_it_may_touch() -> None:
    found: dict[str, set[str]] = {}
    for source in app_files():
        for function in source.functions():
            is_query = is_repository(source.path) and _takes_session(function)
            is_named_so = function.name.endswith("_across_tenants")
            if is_query and not is_named_so and not _is_scoped(function):
                found.setdefault(source.path, set()).add(function.name)

    assert found == {path: set(names) for path, names in UNSCOPED.items()}


def _mapped_classes() -> dict[str, tuple[str, str]]:
    """Return table and room of every mapped class, by its name."""
    found = {}
    for source in app_files():
        for node in ast.walk(source.tree):
            named = isinstance(node, ast.Assign) and ast.unparse(node.targets[0])
            owner = parent_of(node)
            if named == "__tablename__" and isinstance(owner, ast.ClassDef):
                assert isinstance(node, ast.Assign)
                found[owner.name] = (str(ast.literal_eval(node.value)), source.room)
    return found


def _tables() -> dict[str, str]:
    """Return the room of every table."""
    made_per_model = dict.fromkeys(("embeddings_0", "embedding_bits_0", "token_bits_0"), "memories")
    return {**dict(_mapped_classes().values()), **made_per_model}


def _named_tables(source: Source) -> set[str]:
    """Return the tables that a file names, in SQL, by ``sa.table`` or by a mapped class."""
    named = {
        name
        for text in source.texts()
        if isinstance(text.value, str)
        for name in _TABLE.findall(text.value)
    }
    for call in source.calls():
        is_table = called_name(call) == "table" and call.args
        if is_table and isinstance(call.args[0], ast.Constant):
            named.add(str(call.args[0].value))
    classes = _mapped_classes()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".models"):
            named |= {classes[a.name][0] for a in node.names if a.name in classes}
    return named


def test_sql_names_only_the_tables_of_its_room() -> None:
    tables = _tables()
    found = {}
    for source in app_files():
        if is_repository(source.path):
            foreign = {
                name
                for name in _named_tables(source)
                if tables.get(name, source.room) != source.room
            }
            if foreign:
                found[source.path] = foreign

    assert found == {path: set(names) for path, (names, _) in FOREIGN_TABLES.items()}
