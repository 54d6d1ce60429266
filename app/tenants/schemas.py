"""Who calls, and whose memories a call is about."""

from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID

OwnerKind = Literal["user", "agent"]
KeyScope = Literal["read", "write", "admin", "operator"]


class OwnerName(NamedTuple):
    """An owner as callers name it."""

    kind: OwnerKind
    external_id: str


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of the key of a request."""

    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[KeyScope]
    bound: OwnerName | None = None
    requests_per_minute: int | None = None
    daily_items: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """One owner of one tenant: what a query may see. First argument of every query."""

    tenant_id: UUID
    owner_id: int
    keys: int = 0
    """How many searchable keys the owner has; decides the dense path."""
