"""docs/papers.md tells where each paper lives, and whether it does."""

import re
from typing import NamedTuple

import pytest

from tests.policy.sources import ROOT
from tests.policy.test_import_contracts import declared_rooms

PAPERS = 48


class Paper(NamedTuple):
    """One row of the page."""

    number: int
    title: str
    arxiv: str
    places: list[str]
    status: str


def _papers() -> list[Paper]:
    text = (ROOT / "docs" / "papers.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if re.match(r"\| \d", line)
    ]
    return [
        Paper(int(number), title, arxiv, re.findall(r"`([^`]+)`", places), status)
        for number, title, arxiv, places, _, status in rows
    ]


EACH = pytest.mark.parametrize("paper", _papers(), ids=lambda paper: paper.title)


def test_every_paper_has_one_row() -> None:
    papers = _papers()

    assert [paper.number for paper in papers] == list(range(1, PAPERS + 1))
    assert len({paper.title for paper in papers}) == PAPERS
    assert len({paper.arxiv for paper in papers}) == PAPERS


@EACH
def test_a_paper_lives_in_a_declared_room(paper: Paper) -> None:
    rooms = {place.split("/")[1] for place in paper.places if place.startswith("app/")}

    assert len(paper.places) > 0
    assert all(place.startswith("app/") for place in paper.places)
    assert rooms <= declared_rooms() | {"sidecar"}


@EACH
def test_a_paper_that_is_built_is_there(paper: Paper) -> None:
    assert paper.status in {"planned", "built"}
    if paper.status == "built":
        assert all((ROOT / place).exists() for place in paper.places)
        assert any(_names_its_source(place, paper.arxiv) for place in paper.places)


def _names_its_source(place: str, arxiv: str) -> bool:
    path = ROOT / place
    files = path.rglob("*.py") if path.is_dir() else [path]
    return any(re.search(rf"Source: .*{arxiv}", file.read_text()) for file in files)
