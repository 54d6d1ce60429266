"""Run as a program in a copy of the tree: breaks it case by case, and says which contracts notice.

Reads cases as JSON from standard input (``name``, ``path``, ``code``); for each, the code is
appended to the file (made if it is not there), every contract is checked, and the tree is put back.
Writes a JSON object from name to the names of the broken contracts. The case with the empty path
is the tree as it is.
"""

import contextlib
import io
import json
import re
import shutil
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TypedDict

from importlinter import cli


class Case(TypedDict):
    """One deliberate violation."""

    name: str
    path: str
    code: str


@contextlib.contextmanager
def _broken_by(case: Case) -> Generator[None]:
    """Have the violation in the tree."""
    if not case["path"]:
        yield
        return
    path = Path(case["path"])
    before = path.read_text() if path.exists() else None
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in made:
        (folder / "__init__.py").touch()
    path.write_text((before or "") + "\n" + case["code"] + "\n")
    yield
    if before is not None:
        path.write_text(before)
    elif made:
        shutil.rmtree(made[-1])
    else:
        path.unlink()


def _broken_contracts() -> list[str]:
    """Return the names of the contracts that the tree breaks now."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        cli.lint_imports(cache_dir=".cache")
    report = said.getvalue()
    if "kept," not in report:
        raise RuntimeError(report)
    return re.findall(r"^(.+) BROKEN(?: \(.*\))?$", report, re.MULTILINE)


def main() -> None:
    """Try every case."""
    cases: list[Case] = json.load(sys.stdin)
    found = {}
    for case in cases:
        with _broken_by(case):
            found[case["name"]] = _broken_contracts()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
