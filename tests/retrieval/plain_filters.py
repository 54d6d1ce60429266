"""Filters as one would evaluate them on plain rows: what the SQL is held to."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.memories.helpers import Json

_MISSING = object()
_INDEX = re.compile(r"-?[0-9]+")
_TIMES = {"occurred_at", "created_at", "expires_at"}


def passes(tree: Json, row: Mapping[str, Any]) -> bool:
    """Say whether a row (of plain columns, ``metadata`` a dict) passes a filter."""
    return all(_member(name, value, row) for name, value in tree.items())


def _member(name: str, value: Any, row: Mapping[str, Any]) -> bool:  # noqa: ANN401
    if name == "and":
        return all(passes(one, row) for one in value)
    if name == "or":
        return any(passes(one, row) for one in value)
    if name == "not":
        return not passes(value, row)
    if name.startswith("metadata."):
        held = _at(row["metadata"], name.split(".")[1:])
        return all(_json_holds(held, one, operand) for one, operand in value.items())
    held = row[name]
    return all(_column_holds(name, held, one, operand) for one, operand in value.items())


def _at(value: Any, steps: list[str]) -> Any:  # noqa: ANN401
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, _MISSING)
        elif isinstance(value, list) and _INDEX.fullmatch(step):
            index = int(step)
            value = value[index] if -len(value) <= index < len(value) else _MISSING
        else:
            return _MISSING
    return value


_EQUAL = {"eq", "in"}
_UNEQUAL = {"ne", "nin"}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def _column_holds(name: str, held: Any, operator: str, operand: Any) -> bool:  # noqa: ANN401
    if operator == "exists":
        return (held is not None) is operand
    many = operand if isinstance(operand, list) else [operand]
    values = [datetime.fromisoformat(one) for one in many] if name in _TIMES else many
    if operator in _EQUAL | _UNEQUAL:
        return (held in values) is (operator in _EQUAL)
    if held is None:
        return False
    if operator == "contains":
        return values[0] in held
    return _ORDER[operator](held, values[0])


def _json_holds(held: Any, operator: str, operand: Any) -> bool:  # noqa: ANN401
    is_there = held is not _MISSING
    if operator == "exists":
        return is_there is operand
    if operator in _EQUAL | _UNEQUAL:
        values = operand if operator in {"in", "nin"} else [operand]
        return (is_there and any(same(held, one) for one in values)) is (operator in _EQUAL)
    if operator == "contains":
        return is_there and _contains(held, operand)
    kinds = (str,) if isinstance(operand, str) else (int, float)
    if not isinstance(held, kinds) or isinstance(held, bool):
        return False
    return _ORDER[operator](held, operand)


def same(a: Any, b: Any) -> bool:  # noqa: ANN401
    """Compare JSON values: true is not 1, but 1 is 1.0."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, bool | dict | list) or isinstance(b, bool | dict | list):
        return a is b
    return bool(a == b)


def _contains(held: Any, operand: Any) -> bool:  # noqa: ANN401
    if isinstance(operand, dict | list):
        return _covers(held, operand)
    if isinstance(held, list):
        return any(same(one, operand) for one in held)
    return isinstance(held, str) and isinstance(operand, str) and operand in held


def _covers(held: Any, wanted: Any) -> bool:  # noqa: ANN401
    if isinstance(wanted, dict):
        return isinstance(held, dict) and all(
            key in held and _covers(held[key], one) for key, one in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(held, list) and all(
            any(_covers(mine, one) for mine in held) for one in wanted
        )
    return same(held, wanted)
