"""What languages call months and times; the tables are the date library's."""

import importlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from app.kit.relative_times import Reader

ENGLISH = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


@lru_cache(maxsize=64)
def month_names(language: str) -> Mapping[str, int]:
    """Return the months by their names in a language and in English."""
    return {**_months_of(_table("en")), **_months_of(_table(language))}


@lru_cache(maxsize=64)
def reader(language: str) -> Reader:
    """Return what reads relative times in a language and in English."""
    tables = [_table("en"), _table(language)]
    return Reader(*tables[: 1 if tables[0] is tables[1] else 2])


def _table(language: str) -> Mapping[str, Any]:
    """Return what the library knows of a language; nothing of one it does not know."""
    code = {"no": "nb"}.get(language, language)
    try:
        known = importlib.import_module("dateparser.data.date_translation_data." + code)
    except ModuleNotFoundError:
        return {}
    table: Mapping[str, Any] = known.info
    return table


def _months_of(table: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, english in enumerate(ENGLISH, 1):
        for name in table.get(english, ()):
            found[str(name).lower().rstrip(".")] = number
    return {name: number for name, number in found.items() if name and not name.isdigit()}
