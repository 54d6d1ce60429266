"""Writes the tables that the documentation takes from the code and from measured results.

A table stands between ``<!-- generated: NAME -->`` and ``<!-- /generated -->`` in README.md or in a
file below docs/. The names are the keys of ``TABLES``.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from app.kit.settings import LimitSettings, Settings
from app.main import create_app
from app.retrieval.kernel.filters import COLUMNS
from app.sidecar.settings import SidecarSettings

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "docs" / "evidence"

_BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)
_METHODS = ("get", "post", "put", "patch", "delete")

ESSENTIAL = (
    "APP_HOST",
    "APP_PORT",
    "APP_DATA_DIR",
    "APP_DATABASE_URL",
    "APP_BOOTSTRAP_KEY",
    "APP_EMBEDDINGS__URL",
    "APP_EMBEDDINGS__KEY",
    "APP_EMBEDDINGS__MODEL",
    "APP_JOBS__CONCURRENCY",
    "APP_LIMITS__REQUESTS_PER_MINUTE",
    "APP_LIMITS__DAILY_ITEMS",
    "APP_HTTP__CORS_ORIGINS",
    "APP_HTTP__TRUSTED_PROXIES",
    "APP_LOG__FORMAT",
)
"""The settings that README.md shows."""


class EvidenceRow(BaseModel):
    """One measured figure."""

    model_config = ConfigDict(extra="forbid")

    figure: str
    value: float | int | str
    unit: str = ""
    target: float | int | str | None = None
    baseline: float | int | str | None = None
    holds: bool | None = None


class Evidence(BaseModel):
    """One file of docs/evidence: what one command measured."""

    model_config = ConfigDict(extra="forbid")

    name: str
    command: str
    n: int | str
    measured_on: str
    """Date and machine."""
    rows: list[EvidenceRow]
    notes: str = ""


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    names = list(head)
    lines = [names, ["---"] * len(names), *([_cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _nested(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Return the group that a field holds, and whether it may be unset."""
    options = [field.annotation]
    if get_origin(field.annotation) in {Union, UnionType}:
        options = list(get_args(field.annotation))
    groups = [one for one in options if isinstance(one, type) and issubclass(one, BaseModel)]
    return (groups[0] if groups else None), type(None) in options


def _default(field: FieldInfo) -> str:
    value = field.default
    if value in {None, "", ()}:
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def _name(prefix: str, name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return prefix + name.upper()


def settings_rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    """Yield variable, default and meaning of every setting of a model."""
    for name, field in model.model_fields.items():
        group, may_be_unset = _nested(field)
        variable = _name(prefix, name, field)
        if group is None:
            yield f"`{variable}`", _default(field), field.description or ""
        elif may_be_unset:
            meaning = f"{field.description} Its members are those of `APP_EMBEDDINGS__…`."
            yield f"`{variable}__…`", "unset", meaning
        else:
            yield from settings_rows(group, f"{variable}__")


def variables() -> set[str]:
    """Return the names of all variables that the programs read as settings."""
    rows = [*settings_rows(Settings, "APP_"), *settings_rows(SidecarSettings, "APP_SIDECAR__")]
    return {name.strip("`") for name, _, _ in rows}


_SETTINGS_HEAD = ("variable", "default", "meaning")


def _all_settings() -> str:
    return table(_SETTINGS_HEAD, settings_rows(Settings, "APP_"))


def _essential_settings() -> str:
    known = {row[0].strip("`"): row for row in settings_rows(Settings, "APP_")}
    return table(_SETTINGS_HEAD, (known[name] for name in ESSENTIAL))


def _sidecar_settings() -> str:
    # What has no meaning of its own is shared with the service, and told of there.
    rows = settings_rows(SidecarSettings, "APP_SIDECAR__")
    return table(_SETTINGS_HEAD, (row for row in rows if row[2]))


def _limits() -> str:
    return table(_SETTINGS_HEAD, settings_rows(LimitSettings, "APP_LIMITS__"))


def openapi() -> Mapping[str, Any]:
    """Return the api's OpenAPI document."""
    return create_app(Settings(_env_file=None)).openapi()


def routes() -> Iterator[tuple[str, str, str]]:
    """Yield method, path and summary of every documented route."""
    for path, operations in openapi()["paths"].items():
        for method in _METHODS:
            if method in operations:
                text = str(operations[method].get("description", "")).split("\n\n")[0]
                yield method.upper(), path, text.replace("\n", " ")


def _routes() -> str:
    rows = ((f"`{method} {path}`", text) for method, path, text in routes())
    return table(("call", "what it does"), rows)


def _filter_fields() -> str:
    orders = {"text": "by code point", "time": "by time", "number": "by size"}
    rows = [(f"`{name}`", kind, orders.get(kind, "none")) for name, kind in COLUMNS.items()]
    rows.append(("`metadata.<key>[.<key>…]`", "json", "numbers by size, texts by code point"))
    return table(("field", "type", "order"), rows)


def evidence() -> list[Evidence]:
    """Return all measured results, by file name."""
    return [
        Evidence.model_validate_json(path.read_text()) for path in sorted(EVIDENCE.glob("*.json"))
    ]


def _figures() -> str:
    found = evidence()
    if not found:
        return "No results have been recorded yet."
    return "\n\n".join(_figure_table(one) for one in found)


def _figure_table(one: Evidence) -> str:
    head = f"**{one.name}**: `{one.command}`, n = {one.n}, {one.measured_on}."
    rows = (
        (
            row.figure,
            _with_unit(row.value, row.unit),
            _plain(row.target),
            _plain(row.baseline),
            _verdict(row),
        )
        for row in one.rows
    )
    parts = [head, table(("figure", "measured", "target", "baseline", "holds"), rows)]
    return "\n\n".join([*parts, one.notes] if one.notes else parts)


def _with_unit(value: object, unit: str) -> str:
    return f"{value} {unit}".strip()


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _verdict(row: EvidenceRow) -> str:
    return "" if row.holds is None else "yes" if row.holds else "no"


TABLES: Mapping[str, Callable[[], str]] = {
    "settings": _all_settings,
    "settings-essential": _essential_settings,
    "settings-sidecar": _sidecar_settings,
    "limits": _limits,
    "routes": _routes,
    "filter-fields": _filter_fields,
    "figures": _figures,
}


def rendered(text: str) -> str:
    """Return a document with its tables written anew.

    Raises:
        KeyError: a marker names no table.
    """

    def write(match: re.Match[str]) -> str:
        return f"{match[1]}{TABLES[match[2]]()}\n{match[3]}"

    return _BLOCK.sub(write, text)


def documents() -> list[Path]:
    """Return the files that may hold tables."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def stale() -> dict[Path, str]:
    """Return the documents whose tables are out of date, as they should be."""
    found = {}
    for path in documents():
        before = path.read_text()
        after = rendered(before)
        if after != before:
            found[path] = after
    return found


def main() -> int:
    """Write what is stale, or (with ``--check``) only name it and fail."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail when stale")
    asked = parser.parse_args()
    outdated = stale()
    for path, text in outdated.items():
        sys.stdout.write(f"{'stale' if asked.check else 'written'}: {path.relative_to(ROOT)}\n")
        if not asked.check:
            path.write_text(text)
    return 1 if outdated and asked.check else 0


if __name__ == "__main__":
    sys.exit(main())
