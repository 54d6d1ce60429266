"""What forgetting looks at: the few columns that memories fade by, and when they were recalled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import Memory, MemoryEvent
from app.tenants.schemas import Scope

_DAY_S = 86_400.0


class FadingMemory(NamedTuple):
    """A memory without its text: what its retention is computed from."""

    ordinal: int
    id: UUID
    kind: str
    pinned: bool
    strength_days: float
    recalled_at: datetime | None
    created_at: datetime
    occurred_at: datetime
    importance: float | None


class Revival(NamedTuple):
    """A moment at which a memory's clock started anew: a recall, or a restore."""

    at: datetime
    strength_days: float | None
    """Its strength from then on; ``None`` for a restore, which adds none."""
    times: int
    """Recalls that were counted at once; 0 for a restore."""


@dataclass(frozen=True, slots=True)
class Faded:
    """Only memories whose t/S at a moment is at least ``exponent``: R = e^(-t/S) is at most so."""

    at: datetime
    exponent: float
    clock: Literal["created", "occurred"]
    importance_days: float


@dataclass(frozen=True, slots=True)
class Among:
    """Which live memories may fade: these kinds, at this moment, of this agent."""

    kinds: Sequence[str]
    now: datetime
    agent_id: str | None = None
    faded: Faded | None = None


_COLUMNS = (
    Memory.ordinal,
    Memory.id,
    Memory.kind,
    Memory.pinned,
    Memory.strength_days,
    Memory.recalled_at,
    Memory.created_at,
    Memory.occurred_at,
    Memory.importance,
)


def _select(scope: Scope, among: Among) -> sa.Select[*tuple[Any, ...]]:
    statement = sa.select(*_COLUMNS).where(
        Memory.owner_id == scope.owner_id,
        Memory.tenant_id == scope.tenant_id,
        Memory.archived_at.is_(None),
        sa.or_(Memory.expires_at.is_(None), Memory.expires_at > among.now),
        Memory.pinned.is_(False),
        Memory.kind.in_(among.kinds),
    )
    if among.agent_id is not None:
        statement = statement.where(Memory.agent_id == among.agent_id)
    if among.faded is not None:
        faded = among.faded
        exponent = _exponent(faded.at, clock=faded.clock, importance_days=faded.importance_days)
        statement = statement.where(exponent >= faded.exponent)
    return statement


def _exponent(
    at: datetime, *, clock: Literal["created", "occurred"], importance_days: float
) -> sa.ColumnElement[Any]:
    """Return t/S, which is negative before the clock starts."""
    begun = Memory.created_at if clock == "created" else Memory.occurred_at
    since = sa.func.coalesce(Memory.recalled_at, begun)
    days = sa.cast(sa.extract("epoch", sa.literal(at) - since), sa.Double) / _DAY_S
    strength = Memory.strength_days + importance_days * sa.func.coalesce(Memory.importance, 0)
    return days / strength


async def count(session: AsyncSession, scope: Scope, among: Among) -> int:
    """Return how many live memories may fade."""
    statement = _select(scope, among).with_only_columns(sa.func.count())
    return int((await session.execute(statement)).scalar_one())


async def fading(
    session: AsyncSession, scope: Scope, among: Among, *, after: int, limit: int
) -> list[FadingMemory]:
    """Return live memories that may fade, by ordinal, from behind ``after``."""
    statement = _select(scope, among).where(Memory.ordinal > after)
    rows = await session.execute(statement.order_by(Memory.ordinal).limit(limit))
    return [FadingMemory(*row) for row in rows]


async def strongest(
    session: AsyncSession, scope: Scope, among: Among, *, limit: int
) -> list[FadingMemory]:
    """Return the memories of greatest strength, those recalled last first among equals."""
    statement = _select(scope, among).order_by(
        Memory.strength_days.desc(), Memory.recalled_at.desc().nulls_last(), Memory.ordinal
    )
    return [FadingMemory(*row) for row in await session.execute(statement.limit(limit))]


async def last_recalled(
    session: AsyncSession, scope: Scope, among: Among, *, limit: int
) -> list[FadingMemory]:
    """Return the memories recalled last, the latest first."""
    statement = _select(scope, among).where(Memory.recalled_at.is_not(None))
    statement = statement.order_by(Memory.recalled_at.desc(), Memory.ordinal)
    return [FadingMemory(*row) for row in await session.execute(statement.limit(limit))]


async def weakest(
    session: AsyncSession,
    scope: Scope,
    among: Among,
    *,
    clock: Literal["created", "occurred"],
    importance_days: float,
    limit: int,
) -> list[FadingMemory]:
    """Return the memories with the greatest t/S, that is the least e^(-t/S), weakest first."""
    exponent = _exponent(among.now, clock=clock, importance_days=importance_days)
    statement = _select(scope, among).order_by(exponent.desc(), Memory.ordinal)
    return [FadingMemory(*row) for row in await session.execute(statement.limit(limit))]


async def revivals(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, list[Revival]]:
    """Return when each memory's clock started anew, as far as its history reaches, in order."""
    statement = (
        sa.select(MemoryEvent.memory_ordinal, MemoryEvent.at, MemoryEvent.detail)
        .where(
            MemoryEvent.owner_id == scope.owner_id,
            MemoryEvent.memory_ordinal.in_(ordinals),
            MemoryEvent.kind.in_(("recalled", "restored")),
        )
        .order_by(MemoryEvent.memory_ordinal, MemoryEvent.at, MemoryEvent.event_no)
    )
    found: dict[int, list[Revival]] = {}
    for ordinal, at, detail in await session.execute(statement):
        revival = Revival(at, detail.get("strength_days"), detail.get("times", 0))
        found.setdefault(ordinal, []).append(revival)
    return found
