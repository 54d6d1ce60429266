"""The documentation, as the tests read it."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.policy.sources import ROOT

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One block of code in a document."""

    language: str
    code: str
    line: int


def documents() -> list[Path]:
    """Return every Markdown file of the project."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(path for path in found if path.is_file())


def name_of(path: Path) -> str:
    """Return a document's path below the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of code of a document, in order."""
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(match[2], textwrap.dedent(match[3]), line)


def prose(text: str) -> str:
    """Return a document without its blocks of code."""
    return _FENCE.sub("", text)
