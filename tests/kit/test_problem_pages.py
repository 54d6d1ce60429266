"""Every problem code is documented, once, by its code."""

import importlib
import pkgutil
import re
from pathlib import Path

import app
from app.kit.errors import Problem
from app.kit.probes import problem_kinds

_PAGE = Path(__file__).parents[2] / "docs" / "problems.md"
_SECTION = re.compile(r"^## (\S+)\n\n(\d{3}) · (.+?)(?: · sidecar)?\n", re.MULTILINE)


def _all_kinds() -> dict[str, type[Problem]]:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    return {
        slug: kind for slug, kind in problem_kinds().items() if kind.__module__.startswith("app.")
    }


def test_every_problem_has_a_section_and_every_section_a_problem() -> None:
    sections = {
        slug: (int(status), title) for slug, status, title in _SECTION.findall(_PAGE.read_text())
    }

    assert sections == {slug: (kind.status, kind.title) for slug, kind in _all_kinds().items()}


def test_sections_are_in_alphabetical_order() -> None:
    slugs = [slug for slug, _, _ in _SECTION.findall(_PAGE.read_text())]

    assert slugs == sorted(set(slugs))


def test_codes_are_lower_case_words() -> None:
    for slug, kind in _all_kinds().items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
        assert 400 <= kind.status < 600
        assert kind.__doc__
