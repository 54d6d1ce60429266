"""Filters become bound SQL: every name is looked up, every value is a parameter."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.memories.models import Memory
from app.retrieval.kernel.filters import All, AnyOf, Condition, FilterNode, Not
from app.segmentation.schemas import Within
from app.tenants.schemas import Scope

Clause = sa.ColumnElement[bool]

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a recall or a list is narrowed to; ``None`` does not narrow."""

    session_id: str | None = None
    agent_id: str | None = None
    kinds: Sequence[str] | None = None
    as_of: datetime | None = None
    node: FilterNode | None = None
    within: Within | None = None

    def members(self) -> dict[str, Any]:
        """Return what narrows besides the filter, by name."""
        given = {
            "session_id": self.session_id,
            "agent_id": self.agent_id,
            "kinds": list(self.kinds) if self.kinds is not None else None,
            "as_of": self.as_of,
            "ordinals": self.within and list(self.within.ordinals),
            "after": self.within and self.within.after,
        }
        return {name: value for name, value in given.items() if value is not None}


def clauses(narrowing: Narrowing) -> list[Clause]:
    """Return the conditions on ``memories`` that a narrowing stands for."""
    found: list[Clause] = []
    if narrowing.session_id is not None:
        found.append(Memory.session_id == narrowing.session_id)
    if narrowing.agent_id is not None:
        found.append(Memory.agent_id == narrowing.agent_id)
    if narrowing.kinds is not None:
        found.append(Memory.kind.in_(narrowing.kinds))
    if narrowing.as_of is not None:
        found.append(Memory.occurred_at <= narrowing.as_of)
    if narrowing.within is not None:
        found.append(_is_within(narrowing.within))
    if narrowing.node is not None:
        found.append(compile_node(narrowing.node))
    return found


def _is_within(within: Within) -> Clause:
    ordinals = sa.bindparam(None, list(within.ordinals), ARRAY(sa.Integer))
    return sa.or_(
        Memory.ordinal == sa.any_(ordinals),
        Memory.ordinal > within.after,
        # What nothing may be made of is in no segment.
        sa.not_(Memory.infer),
    )


def passing(scope: Scope, narrowing: Narrowing) -> sa.Select[Any]:
    """Select the ordinals of the live memories that pass; ``now`` is bound by the caller."""
    now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
    return sa.select(Memory.ordinal).where(
        Memory.owner_id == scope.owner_id,
        Memory.tenant_id == scope.tenant_id,
        Memory.archived_at.is_(None),
        sa.or_(Memory.expires_at.is_(None), Memory.expires_at > now),
        *clauses(narrowing),
    )


def compile_node(node: FilterNode) -> Clause:
    """Return the SQL condition of a filter; it is true or false, never null."""
    match node:
        case All(nodes):
            return sa.and_(*(compile_node(one) for one in nodes))
        case AnyOf(nodes):
            return sa.or_(*(compile_node(one) for one in nodes))
        case Not(inner):
            return sa.not_(compile_node(inner))
        case Condition():
            return sa.func.coalesce(_condition(node), sa.false())


def _condition(node: Condition) -> Clause:
    if node.type == "json":
        path = sa.cast(list(node.path), ARRAY(sa.Text))
        place: sa.ColumnElement[Any] = Memory.metadata_.op("#>", return_type=JSONB())(path)
        return _on_json(place, node.operator, node.value)
    return _on_column(Memory.__table__.c[node.field], node.operator, node.value)


def _on_column(column: sa.ColumnElement[Any], name: str, value: Any) -> Clause:  # noqa: ANN401
    if name in _ORDER:
        ordered = column.collate("C") if isinstance(column.type, sa.Text) else column
        clause: Clause = _ORDER[name](ordered, value)
        return clause
    simple: dict[str, Callable[[], Clause]] = {
        "eq": lambda: column == value,
        "ne": lambda: column.is_distinct_from(value),
        "in": lambda: column.in_(value),
        "nin": lambda: sa.or_(column.is_(None), column.not_in(value)),
        "contains": lambda: sa.func.strpos(column, value) > 0,
        "exists": lambda: column.is_not(None) if value else column.is_(None),
    }
    return simple[name]()


def _on_json(place: sa.ColumnElement[Any], name: str, value: Any) -> Clause:  # noqa: ANN401
    if name in _ORDER:
        return _ordered_json(place, name, value)
    simple: dict[str, Callable[[], Clause]] = {
        "eq": lambda: place == _json(value),
        "ne": lambda: place.is_distinct_from(_json(value)),
        "in": lambda: place.in_([_json(one) for one in value]),
        "nin": lambda: sa.or_(place.is_(None), place.not_in([_json(one) for one in value])),
        "contains": lambda: _json_contains(place, value),
        "exists": lambda: place.is_not(None) if value else place.is_(None),
    }
    return simple[name]()


def _json(value: Any) -> sa.ColumnElement[Any]:  # noqa: ANN401
    return sa.cast(sa.bindparam(None, value, JSONB(none_as_null=False)), JSONB)


def _ordered_json(place: sa.ColumnElement[Any], name: str, value: str | float) -> Clause:
    """Compare numbers with numbers and texts (by code point) with texts; else it is false."""
    if isinstance(value, str):
        text = place.op("#>>", return_type=sa.Text())(sa.cast([], ARRAY(sa.Text)))
        clause: Clause = _ORDER[name](text.collate("C"), value)
        return sa.and_(sa.func.jsonb_typeof(place) == "string", clause)
    clause = _ORDER[name](place, _json(value))
    return sa.and_(sa.func.jsonb_typeof(place) == "number", clause)


def _json_contains(place: sa.ColumnElement[Any], value: Any) -> Clause:  # noqa: ANN401
    """Find a value in a list, members in an object, or a text within a text."""
    holds = place.op("@>", return_type=sa.Boolean())
    if isinstance(value, dict | list):
        return holds(_json(value))
    in_list = sa.and_(sa.func.jsonb_typeof(place) == "array", holds(_json([value])))
    if not isinstance(value, str):
        return in_list
    text = place.op("#>>", return_type=sa.Text())(sa.cast([], ARRAY(sa.Text)))
    in_text = sa.and_(sa.func.jsonb_typeof(place) == "string", sa.func.strpos(text, value) > 0)
    return sa.or_(in_list, in_text)
