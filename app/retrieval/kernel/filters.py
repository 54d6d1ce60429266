"""The filter language: a JSON tree becomes typed nodes, or an error that names the node. Pure."""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains", "exists"]
FieldType = Literal["text", "time", "number", "boolean", "id", "json"]

COLUMNS: dict[str, FieldType] = {
    "id": "id",
    "kind": "text",
    "role": "text",
    "name": "text",
    "session_id": "text",
    "agent_id": "text",
    "place": "text",
    "content": "text",
    "occurred_at": "time",
    "created_at": "time",
    "expires_at": "time",
    "importance": "number",
    "pinned": "boolean",
}
"""Fields of a memory that filters may name, besides ``metadata.…``."""

MAX_DEPTH = 8
MAX_NODES = 200
MAX_LIST = 1_000
MAX_VALUES = 10_000
MAX_STEPS = 32

_OFFSET = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST = 1e300
_ORDERED: frozenset[Operator] = frozenset({"gt", "gte", "lt", "lte"})
_UNORDERED: frozenset[FieldType] = frozenset({"boolean", "id"})


class FilterError(ValueError):
    """A node of the tree is wrong; ``path`` names it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the nodes holds."""

    nodes: tuple["FilterNode", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the nodes holds."""

    nodes: tuple["FilterNode", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The node does not hold (also when it cannot be told)."""

    node: "FilterNode"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: of a column (``path`` empty) or of a place within the metadata."""

    field: str
    path: tuple[str, ...]
    type: FieldType
    operator: Operator
    value: Any


FilterNode = All | AnyOf | Not | Condition


def parse(tree: object, *, path: str = "filters") -> FilterNode:
    """Return the typed tree.

    Raises:
        FilterError: with the path of the offending node.
    """
    return _Parser().node(tree, path, depth=1)


class _Parser:
    def __init__(self) -> None:
        self._nodes = 0
        self._values = 0

    def node(self, tree: object, path: str, *, depth: int) -> FilterNode:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise FilterError(path, f"a filter has at most {MAX_NODES} nodes")
        if depth > MAX_DEPTH:
            raise FilterError(path, f"a filter is at most {MAX_DEPTH} levels deep")
        if not isinstance(tree, dict) or not tree:
            raise FilterError(path, "must be an object with at least one member")
        parts = [self._member(name, value, path, depth) for name, value in tree.items()]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _member(self, name: str, value: object, path: str, depth: int) -> FilterNode:
        here = f"{path}.{name}"
        if name in {"and", "or"}:
            if not isinstance(value, list) or not value:
                raise FilterError(here, "must be a list of filters with at least one entry")
            nodes = tuple(
                self.node(one, f"{here}[{index}]", depth=depth + 1)
                for index, one in enumerate(value)
            )
            return All(nodes) if name == "and" else AnyOf(nodes)
        if name == "not":
            return Not(self.node(value, here, depth=depth + 1))
        return self._field(name, value, here)

    def _field(self, name: str, value: object, path: str) -> FilterNode:
        field, steps = _resolve(name, path)
        if not isinstance(value, dict) or not value:
            raise FilterError(path, 'must be an object of operators, such as {"eq": …}')
        conditions = []
        for operator, operand in value.items():
            self._nodes += 1
            self._values += len(operand) if isinstance(operand, list) else 1
            if self._values > MAX_VALUES:
                raise FilterError(path, f"a filter compares with at most {MAX_VALUES} values")
            conditions.append(_condition(field, steps, operator, operand, f"{path}.{operator}"))
        return conditions[0] if len(conditions) == 1 else All(tuple(conditions))


def _resolve(name: str, path: str) -> tuple[str, tuple[str, ...]]:
    field, *steps = name.split(".")
    if field == "metadata" and steps and all(steps) and _is_clean(name):
        if len(steps) > MAX_STEPS:
            raise FilterError(path, f"a path has at most {MAX_STEPS} steps")
        return "metadata", tuple(steps)
    if field in COLUMNS and not steps:
        return field, ()
    known = ", ".join(sorted(COLUMNS))
    raise FilterError(path, f"unknown field; use metadata.<key> or one of {known}")


def _condition(
    field: str, steps: tuple[str, ...], operator: str, operand: object, path: str
) -> Condition:
    if operator not in get_args(Operator):
        raise FilterError(path, f"unknown operator; use one of {', '.join(get_args(Operator))}")
    kind: FieldType = "json" if field == "metadata" else COLUMNS[field]
    value = _operand(kind, operator, operand, path)  # type: ignore[arg-type]  # checked above
    return Condition(field, steps, kind, operator, value)  # type: ignore[arg-type]


def _operand(kind: FieldType, operator: Operator, operand: object, path: str) -> Any:  # noqa: ANN401
    if operator == "exists":
        if not isinstance(operand, bool):
            raise FilterError(path, "must be true or false")
        return operand
    if operator in {"in", "nin"}:
        if not isinstance(operand, list) or not 0 < len(operand) <= MAX_LIST:
            raise FilterError(path, f"must be a list of 1 to {MAX_LIST} values")
        return [_value(kind, one, f"{path}[{i}]") for i, one in enumerate(operand)]
    if operator in _ORDERED:
        return _ordered(kind, operand, path)
    if operator == "contains" and kind not in {"text", "json"}:
        raise FilterError(path, f"a {kind} field cannot contain a value")
    return _value(kind, operand, path)


def _ordered(kind: FieldType, operand: object, path: str) -> Any:  # noqa: ANN401
    if kind in _UNORDERED:
        raise FilterError(path, f"a {kind} field has no order")
    is_scalar = isinstance(operand, str | int | float) and not isinstance(operand, bool)
    if kind == "json" and not is_scalar:
        raise FilterError(path, "must be a number or a text")
    return _value(kind, operand, path)


def _value(kind: FieldType, operand: object, path: str) -> Any:  # noqa: ANN401
    if kind == "json":
        return _json(operand, path)
    if kind == "number":
        if isinstance(operand, bool) or not isinstance(operand, int | float):
            raise FilterError(path, "must be a number")
        if isinstance(operand, float) and not math.isfinite(operand):
            raise FilterError(path, "must be a finite number")
        # No column holds a number beyond these; the float of a larger one would not exist.
        return float(min(max(operand, -_LARGEST), _LARGEST))
    if kind == "boolean":
        if not isinstance(operand, bool):
            raise FilterError(path, "must be true or false")
        return operand
    if not isinstance(operand, str) or not _is_clean(operand):
        raise FilterError(path, "must be a text without NUL and lone surrogates")
    return _TEXT_VALUES[kind](operand, path)


def _is_clean(text: str) -> bool:
    """Tell whether Postgres can hold a text: neither NUL nor a lone surrogate."""
    return "\x00" not in text and not _SURROGATE.search(text)


def _json(operand: object, path: str) -> object:
    """Refuse what JSON in Postgres cannot hold, or what is nested too deep."""
    level = [operand]
    for _ in range(MAX_STEPS + 1):
        below: list[object] = []
        for node in level:
            if isinstance(node, dict):
                below += [*node, *node.values()]
            elif isinstance(node, list):
                below += node
            elif isinstance(node, float) and not math.isfinite(node):
                raise FilterError(path, "must not contain NaN or Infinity")
            elif isinstance(node, str) and not _is_clean(node):
                raise FilterError(path, "must not contain NUL or lone surrogates")
        level = below
        if not level:
            return operand
    raise FilterError(path, f"must not be nested deeper than {MAX_STEPS}")


def _time(operand: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(operand)
    except ValueError as error:
        raise FilterError(path, "must be an RFC 3339 time with offset") from error
    if moment.tzinfo is None or not _OFFSET.search(operand):
        raise FilterError(path, "must be an RFC 3339 time with offset")
    return moment


def _id(operand: str, path: str) -> UUID:
    try:
        return UUID(operand)
    except ValueError as error:
        raise FilterError(path, "must be a UUID") from error


_TEXT_VALUES = {"text": lambda operand, _: operand, "time": _time, "id": _id}
