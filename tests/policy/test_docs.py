"""What the documentation says exists: links, settings, routes, commands, tables, metrics."""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer.main

from app import cli
from app.kit import metrics
from app.kit.orm import Base
from app.sidecar.main import create_app as create_sidecar
from app.sidecar.settings import SidecarSettings
from scripts.lib import docs
from tests.policy.documents import blocks, documents, name_of, prose
from tests.policy.sources import ROOT

EVERY = pytest.mark.parametrize("path", documents(), ids=name_of)

ADR_SECTIONS = ("Context", "Decision", "Consequences", "What would change our mind")
ADR_LINES = 50

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SETTING = re.compile(r"\bAPP_[A-Z0-9_]*[A-Z0-9]\b(?:__…)?")
_ROUTE = re.compile(r"`(?:(GET|POST|PUT|PATCH|DELETE) )(/[^\s`]*)`")
_URL = re.compile(r"\$URL(/[^\s\"'?]*)")
_FILE = re.compile(r"`((?:app|tests|scripts|migrations|docs)/[\w./-]+\.\w+)`")


def test_generated_tables_are_up_to_date() -> None:
    assert [name_of(path) for path in docs.stale()] == [], "run scripts/docs"


def test_evidence_has_the_documented_form() -> None:
    assert all(one.rows for one in docs.evidence())


def _slug(heading: str) -> str:
    """Return the anchor of a heading, as hosts of Markdown make it."""
    plain = re.sub(r"[`*\[\]]|\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text()), re.MULTILINE)
    return {_slug(heading) for heading in headings}


def _is_broken(path: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return False
    name, _, anchor = target.partition("#")
    found = (path.parent / name).resolve() if name else path
    if not found.exists():
        return True
    return bool(anchor) and found.suffix == ".md" and anchor not in _anchors(found)


@EVERY
def test_relative_links_lead_somewhere(path: Path) -> None:
    links = _LINK.findall(prose(path.read_text()))

    assert [target for target in links if _is_broken(path, target)] == []


def test_every_page_can_be_reached_by_links() -> None:
    linked = {ROOT / "README.md"}
    for path in documents():
        targets = (target.partition("#")[0] for target in _LINK.findall(path.read_text()))
        linked |= {(path.parent / target).resolve() for target in targets if target}

    assert [name_of(path) for path in documents() if path not in linked] == []


def _known_settings() -> set[str]:
    known = docs.variables()
    scripts = (ROOT / "scripts" / "serve", ROOT / "scripts" / "lib" / "python.sh")
    known |= {name for path in scripts for name in _SETTING.findall(path.read_text())}
    embeddings = {name for name in known if name.startswith("APP_EMBEDDINGS__")}
    known |= {name.replace("APP_", "APP_NEXT_", 1) for name in embeddings}
    groups = {name.rsplit("__", 1)[0] + "__…" for name in known if "__" in name}
    return known | groups


@EVERY
def test_documented_settings_exist(path: Path) -> None:
    named = set(_SETTING.findall(path.read_text()))

    assert named - _known_settings() == set()


def test_every_setting_is_documented() -> None:
    reference = (ROOT / "docs" / "reference" / "settings.md").read_text()

    assert [name for name in docs.variables() if name not in reference and "LOG_" not in name] == []


@cache
def _routes() -> list[tuple[str, re.Pattern[str]]]:
    """Return method and form of every route, of the api and of the sidecar."""
    sidecar = create_sidecar(SidecarSettings()).openapi()["paths"]
    found = [(method, path) for method, path, _ in docs.routes()]
    found += [(method.upper(), path) for path, methods in sidecar.items() for method in methods]
    pages = ("/docs", "/openapi.json", "/docs/problems")
    return [(method, _pattern(path)) for method, path in [*found, *(("GET", p) for p in pages)]]


def _pattern(route: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\})", route)
    return re.compile("".join("[^/]+" if part[:1] == "{" else re.escape(part) for part in parts))


def _is_known(method: str, path: str) -> bool:
    return any(form.fullmatch(path) and method in {"", known} for known, form in _routes())


@EVERY
def test_documented_routes_exist(path: Path) -> None:
    text = path.read_text()
    named = [(method, route.partition("?")[0]) for method, route in _ROUTE.findall(text)]
    # The sidecar's wire format is described as paths below its own base URL.
    ours = [(method, route) for method, route in named if route.startswith(("/v1/", "/healthz"))]
    called = [("", route) for block in blocks(text) for route in _URL.findall(block.code)]

    assert [one for one in [*ours, *called] if not _is_known(*one)] == []


@EVERY
def test_documented_commands_and_files_exist(path: Path) -> None:
    text = path.read_text()
    commands = typer.main.get_command(cli.cli)
    known = set(commands.commands)  # type: ignore[attr-defined]  # a group of commands
    missing = [
        name for name in re.findall(r"\bscripts/[a-z-]+\b", text) if not (ROOT / name).exists()
    ]
    missing += [name for name in re.findall(r"-m app\.cli (\w+)", text) if name not in known]
    modules = re.findall(r"-m ((?:app|scripts)(?:\.\w+)+)", text)
    missing += [name for name in modules if find_spec(name) is None]
    missing += [name for name in _FILE.findall(text) if not (ROOT / name).exists()]

    assert missing == []


@EVERY
def test_blocks_of_json_are_json(path: Path) -> None:
    for block in blocks(path.read_text()):
        if block.language == "json":
            assert json.loads(block.code)


@EVERY
def test_no_path_of_a_machine_is_left(path: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:root|home|work|tmp)/", path.read_text()) == []


def test_exactly_our_metrics_are_documented() -> None:
    text = (ROOT / "docs" / "how-to" / "observe.md").read_text()
    kept = re.findall(r"^# TYPE (remembrancer_\w+)", metrics.render().decode(), re.MULTILINE)

    documented = re.findall(r"`(remembrancer_\w+)`", text)

    assert set(documented) == {name for name in kept if not name.endswith("_created")}


def test_every_table_is_documented() -> None:
    text = (ROOT / "docs" / "explanation" / "data-model.md").read_text()

    assert [name for name in Base.metadata.tables if f"`{name}`" not in text] == []


def test_decisions_have_the_form_of_decisions() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    index = (ROOT / "docs" / "adr" / "README.md").read_text()

    assert [page.name[:4] for page in pages] == [f"{i:04}" for i in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text()
        assert all(f"**{section}.**" in text for section in ADR_SECTIONS), page.name
        assert text.count("\n") <= ADR_LINES, page.name
        assert f"({page.name})" in index


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
