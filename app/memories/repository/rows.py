"""Memories, their sources and their history."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import Memory, MemoryEvent, MemorySource, OwnerStats
from app.memories.schemas import NewMemory
from app.tenants.models import Owner
from app.tenants.schemas import OwnerName, Scope

# Writers of one owner wait for this row: ordinals then grow in the order of the commits.
_LOCK = sa.text("SELECT keys, last_ordinal FROM owner_stats WHERE owner_id = :owner_id FOR UPDATE")

_TAKE_ORDINALS = sa.text("""
    UPDATE owner_stats SET last_ordinal = last_ordinal + :count WHERE owner_id = :owner_id
    RETURNING last_ordinal
""")

_TAKE_EXTRA_KEYS = sa.text("""
    UPDATE owner_stats SET last_extra_key = last_extra_key + :count WHERE owner_id = :owner_id
    RETURNING last_extra_key
""")

_COLUMNS = {
    "ordinal": "integer",
    "id": "uuid",
    "kind": "text",
    "content": "text",
    "session_id": "text",
    "agent_id": "text",
    "role": "text",
    "name": "text",
    "place": "text",
    "occurred_at": "timestamptz",
    "expires_at": "timestamptz",
    "importance": "double precision",
    "pinned": "boolean",
    "generated_by": "text",
    "context_ordinal": "integer",
    "infer": "boolean",
    "metadata": "text",
}

_INSERT = sa.text("""
    WITH row AS (
        SELECT * FROM unnest(
            CAST(:ordinal AS integer[]), CAST(:id AS uuid[]), CAST(:kind AS text[]),
            CAST(:content AS text[]), CAST(:session_id AS text[]), CAST(:agent_id AS text[]),
            CAST(:role AS text[]), CAST(:name AS text[]), CAST(:place AS text[]),
            CAST(:occurred_at AS timestamptz[]), CAST(:expires_at AS timestamptz[]),
            CAST(:importance AS double precision[]), CAST(:pinned AS boolean[]),
            CAST(:generated_by AS text[]), CAST(:context_ordinal AS integer[]),
            CAST(:infer AS boolean[]), CAST(:metadata AS text[]), CAST(:episode_id AS uuid[])
        ) AS r (ordinal, id, kind, content, session_id, agent_id, role, name, place, occurred_at,
                expires_at, importance, pinned, generated_by, context_ordinal, infer, metadata,
                episode_id)
    ), memory AS (
        INSERT INTO memories (
            owner_id, tenant_id, created_at, updated_at, ordinal, id, kind, content, session_id,
            agent_id, role, name, place, occurred_at, expires_at, importance, pinned,
            generated_by, context_ordinal, infer, metadata)
        SELECT :owner_id, :tenant_id, :now, :now, ordinal, id, kind, content, session_id, agent_id,
            role, name, place, occurred_at, expires_at, importance, pinned, generated_by,
            context_ordinal, infer, CAST(metadata AS jsonb)
        FROM row
    ), source AS (
        INSERT INTO memory_sources (owner_id, memory_ordinal, episode_id)
        SELECT :owner_id, ordinal, episode_id FROM row WHERE episode_id IS NOT NULL
    )
    INSERT INTO memory_events (owner_id, memory_ordinal, kind, at, detail)
    SELECT :owner_id, ordinal, 'created', :now, '{}' FROM row
""")

_INSERT_EVENT = sa.text("""
    INSERT INTO memory_events (owner_id, memory_ordinal, kind, at, detail)
    SELECT :owner_id, ordinal, :kind, :now, CAST(:detail AS jsonb)
    FROM unnest(CAST(:ordinals AS integer[])) AS o (ordinal)
""")

# What stands on a memory or its episode alone goes with it, and so on up the chain.
_DERIVED = sa.text("""
    WITH RECURSIVE gone (ordinal) AS (
        SELECT CAST(:ordinal AS integer)
        UNION
        SELECT s.memory_ordinal
        FROM gone g
        JOIN memory_sources s ON s.owner_id = :owner_id AND (
            s.source_ordinal = g.ordinal OR s.episode_id IN (
                SELECT e.id FROM episodes e WHERE e.owner_id = :owner_id AND e.ordinal = g.ordinal
                AND e.id IN (SELECT o.episode_id FROM memory_sources o
                             WHERE o.owner_id = :owner_id AND o.memory_ordinal = g.ordinal)))
    )
    SELECT ordinal FROM gone
""")

_SOURCES = sa.text("""
    SELECT memory_ordinal, source_ordinal, s.episode_id, e.ordinal AS episode_ordinal
    FROM memory_sources s
    LEFT JOIN episodes e ON e.owner_id = s.owner_id AND e.id = s.episode_id
    WHERE s.owner_id = :owner_id AND memory_ordinal = ANY(CAST(:ordinals AS integer[]))
""")


_ADD_SOURCES = sa.text("""
    INSERT INTO memory_sources (owner_id, memory_ordinal, source_ordinal)
    SELECT :owner_id, s.ordinal, s.source
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:sources AS integer[])) AS s (ordinal, source)
    ON CONFLICT DO NOTHING
""")

_REINFORCE = sa.text("""
    WITH recalled AS (
        SELECT r.ordinal, count(*) AS times, max(r.at) AS last
        FROM unnest(CAST(:ordinals AS integer[]), CAST(:times AS timestamptz[])) AS r (ordinal, at)
        GROUP BY 1
    ), strengthened AS (
        UPDATE memories m SET recall_count = recall_count + recalled.times,
            strength_days = strength_days + :growth_days * recalled.times,
            recalled_at = greatest(m.recalled_at, recalled.last)
        FROM recalled WHERE m.owner_id = :owner_id AND m.ordinal = recalled.ordinal
            AND m.archived_at IS NULL
        RETURNING m.ordinal, recalled.last, recalled.times, m.strength_days
    )
    INSERT INTO memory_events (owner_id, memory_ordinal, kind, at, detail)
    SELECT :owner_id, ordinal, 'recalled', last,
        jsonb_build_object('times', times, 'strength_days', strength_days)
    FROM strengthened
""")


async def lock_owner(session: AsyncSession, scope: Scope) -> bool:
    """Make this the owner's only writer until the transaction ends; false if it was erased."""
    row = (await session.execute(_LOCK, {"owner_id": scope.owner_id})).first()
    return row is not None


async def take_ordinals(session: AsyncSession, scope: Scope, count: int) -> range:
    """Return ``count`` fresh ordinals of the owner, ascending."""
    last = await _take(session, _TAKE_ORDINALS, scope, count)
    return range(last - count + 1, last + 1)


async def take_extra_keys(session: AsyncSession, scope: Scope, count: int) -> range:
    """Return ``count`` fresh ordinals for further keys: negative, descending."""
    last = await _take(session, _TAKE_EXTRA_KEYS, scope, count)
    return range(-(last - count) - 1, -last - 1, -1)


async def _take(session: AsyncSession, statement: sa.TextClause, scope: Scope, count: int) -> int:
    values = {"owner_id": scope.owner_id, "count": count}
    return int((await session.execute(statement, values)).scalar_one())


async def insert(
    session: AsyncSession, scope: Scope, rows: Sequence[NewMemory], *, now: datetime
) -> None:
    """Insert memories with their episode as source and a ``created`` event each."""
    values: dict[str, Any] = {
        name: [getattr(row, name) for row in rows] for name in _COLUMNS if name != "metadata"
    }
    values["metadata"] = [json.dumps(row.metadata) for row in rows]
    values["episode_id"] = [row.episode_id for row in rows]
    values |= {"owner_id": scope.owner_id, "tenant_id": scope.tenant_id, "now": now}
    await session.execute(_INSERT, values)


async def add_sources(
    session: AsyncSession, scope: Scope, pairs: Sequence[tuple[int, int]]
) -> None:
    """Note which memories were made of which: pairs of ordinal and source's ordinal."""
    values = {
        "owner_id": scope.owner_id,
        "ordinals": [ordinal for ordinal, _ in pairs],
        "sources": [source for _, source in pairs],
    }
    await session.execute(_ADD_SOURCES, values)


async def source_ordinals(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, list[int]]:
    """Return the ordinals of the memories that derived ones were made from, ascending."""
    statement = (
        sa.select(MemorySource.memory_ordinal, MemorySource.source_ordinal)
        .where(
            MemorySource.owner_id == scope.owner_id,
            MemorySource.memory_ordinal.in_(ordinals),
            MemorySource.source_ordinal.is_not(None),
        )
        .order_by(MemorySource.memory_ordinal, MemorySource.source_ordinal)
    )
    found: dict[int, list[int]] = {}
    for ordinal, source in await session.execute(statement):
        if source is not None:
            found.setdefault(ordinal, []).append(source)
    return found


async def reinforce(
    session: AsyncSession,
    scope: Scope,
    recalls: Sequence[tuple[int, datetime]],
    *,
    growth_days: float,
) -> None:
    """Strengthen live memories once for each recall, given as ordinal and moment."""
    values = {
        "owner_id": scope.owner_id,
        "ordinals": [ordinal for ordinal, _ in recalls],
        "times": [at for _, at in recalls],
        "growth_days": growth_days,
    }
    await session.execute(_REINFORCE, values)


async def counters(session: AsyncSession, scope: Scope) -> int | None:
    """Return how many keys an owner has; ``None`` if it was erased."""
    statement = sa.select(OwnerStats.keys).where(OwnerStats.owner_id == scope.owner_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def add_event(
    session: AsyncSession,
    scope: Scope,
    ordinals: Sequence[int],
    kind: str,
    *,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    """Append one event to the history of each of the memories."""
    values = {
        "owner_id": scope.owner_id,
        "ordinals": list(ordinals),
        "kind": kind,
        "detail": json.dumps(detail),
        "now": now,
    }
    await session.execute(_INSERT_EVENT, values)


def in_scope(scope: Scope) -> sa.Select[Any]:
    """Return the one select every read of memories starts from."""
    return sa.select(Memory).where(
        Memory.owner_id == scope.owner_id, Memory.tenant_id == scope.tenant_id
    )


class Whereabouts(NamedTuple):
    """Whose memory it is, and which agent's."""

    owner_id: int
    owner: OwnerName
    agent_id: str | None

    def is_visible_to(self, bound: OwnerName | None) -> bool:
        """Tell whether a key may see it: unbound, bound to its owner, or to its agent."""
        if bound is None or bound == self.owner:
            return True
        return self.agent_id is not None and bound == OwnerName("agent", self.agent_id)


async def whereabouts(
    session: AsyncSession, tenant_id: UUID, memory_id: UUID
) -> Whereabouts | None:
    """Return whose a memory of this tenant is."""
    statement = (
        sa.select(Memory.owner_id, Owner.kind, Owner.external_id, Memory.agent_id)
        .join(Owner, Owner.owner_id == Memory.owner_id)
        .where(Memory.tenant_id == tenant_id, Memory.id == memory_id)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    return Whereabouts(row.owner_id, OwnerName(row.kind, row.external_id), row.agent_id)


@dataclass(frozen=True, slots=True)
class MemoryQuery:
    """Which of an owner's memories a list shows, newest first."""

    limit: int
    agent_id: str | None = None
    session_id: str | None = None
    kind: str | None = None
    state: Literal["live", "archived", "all"] = "live"
    before: int | None = None


async def page(session: AsyncSession, scope: Scope, query: MemoryQuery) -> Sequence[Memory]:
    """Return memories of one owner, newest first, from behind ordinal ``before``."""
    statement = in_scope(scope)
    if query.state != "all":
        is_live = sa.and_(
            Memory.archived_at.is_(None),
            sa.or_(Memory.expires_at.is_(None), Memory.expires_at > sa.func.now()),
        )
        statement = statement.where(is_live if query.state == "live" else sa.not_(is_live))
    for column, wanted in (
        (Memory.agent_id, query.agent_id),
        (Memory.session_id, query.session_id),
        (Memory.kind, query.kind),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if query.before is not None:
        statement = statement.where(Memory.ordinal < query.before)
    statement = statement.order_by(Memory.ordinal.desc()).limit(query.limit)
    return (await session.scalars(statement)).all()


async def by_id(session: AsyncSession, scope: Scope, memory_id: UUID) -> Memory | None:
    """Return one memory, archived or not."""
    found = await session.execute(in_scope(scope).where(Memory.id == memory_id))
    memory: Memory | None = found.scalar_one_or_none()
    return memory


async def by_ordinals(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Sequence[Memory]:
    """Return memories by their ordinals, ascending."""
    if not ordinals:
        return []
    statement = in_scope(scope).where(Memory.ordinal.in_(ordinals)).order_by(Memory.ordinal)
    return (await session.scalars(statement)).all()


async def live_by_ids(
    session: AsyncSession, scope: Scope, memory_ids: Sequence[UUID], *, now: datetime
) -> Sequence[Memory]:
    """Return those of the memories that are neither archived nor expired."""
    statement = in_scope(scope).where(
        Memory.id.in_(memory_ids),
        Memory.archived_at.is_(None),
        sa.or_(Memory.expires_at.is_(None), Memory.expires_at > now),
    )
    return (await session.scalars(statement)).all()


async def dependants(session: AsyncSession, scope: Scope, memory: Memory) -> Sequence[Memory]:
    """Return the memories whose keyword key carries this one as the turn before."""
    if memory.session_id is None:
        return []
    statement = in_scope(scope).where(
        Memory.session_id == memory.session_id,
        Memory.ordinal > memory.ordinal,
        Memory.context_ordinal == memory.ordinal,
    )
    return (await session.scalars(statement)).all()


async def derived_only_from(session: AsyncSession, scope: Scope, ordinal: int) -> list[int]:
    """Return the ordinals of all memories that stand on this one alone, itself included."""
    values = {"owner_id": scope.owner_id, "ordinal": ordinal}
    reached = set((await session.scalars(_DERIVED, values)).all())
    asked = {"owner_id": scope.owner_id, "ordinals": sorted(reached)}
    sources = (await session.execute(_SOURCES, asked)).all()
    while True:
        held = {
            row.memory_ordinal
            for row in sources
            if row.memory_ordinal != ordinal
            and (row.source_ordinal if row.source_ordinal is not None else row.episode_ordinal)
            not in reached
        }
        if not held & reached:
            return sorted(reached)
        reached -= held


async def erase(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Delete memories; their sources, keys, vectors and history go with them."""
    statement = sa.delete(Memory).where(
        Memory.owner_id == scope.owner_id, Memory.ordinal.in_(ordinals)
    )
    await session.execute(statement)


async def history(
    session: AsyncSession, scope: Scope, ordinal: int, *, after: int, limit: int
) -> Sequence[MemoryEvent]:
    """Return what befell a memory, oldest first, from behind event ``after``."""
    statement = (
        sa.select(MemoryEvent)
        .where(
            MemoryEvent.owner_id == scope.owner_id,
            MemoryEvent.memory_ordinal == ordinal,
            MemoryEvent.event_no > after,
        )
        .order_by(MemoryEvent.event_no)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def prune_events(session: AsyncSession, scope: Scope, *, before: datetime) -> int:
    """Delete events older than ``before``; return how many."""
    statement = sa.delete(MemoryEvent).where(
        MemoryEvent.owner_id == scope.owner_id, MemoryEvent.at < before
    )
    return (await session.execute(statement)).rowcount  # type: ignore[attr-defined,no-any-return]  # a CursorResult


async def expired(
    session: AsyncSession, scope: Scope, *, now: datetime, limit: int
) -> Sequence[Memory]:
    """Return live memories whose ``expires_at`` has passed."""
    statement = (
        in_scope(scope)
        .where(Memory.expires_at <= now, Memory.archived_at.is_(None))
        .order_by(Memory.ordinal)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def source_episodes(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, list[UUID]]:
    """Return the ids of the episodes each memory was made from."""
    statement = sa.select(MemorySource.memory_ordinal, MemorySource.episode_id).where(
        MemorySource.owner_id == scope.owner_id,
        MemorySource.memory_ordinal.in_(ordinals),
        MemorySource.episode_id.is_not(None),
    )
    found: dict[int, list[UUID]] = {}
    for ordinal, episode_id in await session.execute(statement):
        if episode_id is not None:
            found.setdefault(ordinal, []).append(episode_id)
    return found


async def has_pending(session: AsyncSession, scope: Scope) -> bool:
    """Tell whether a key of the owner may lack its vector."""
    statement = sa.select(OwnerStats.is_pending).where(OwnerStats.owner_id == scope.owner_id)
    return bool((await session.execute(statement)).scalar_one_or_none())


async def set_pending(session: AsyncSession, scope: Scope, *, is_pending: bool) -> None:
    """Note whether a key of the owner may lack its vector; needs the owner's lock."""
    statement = sa.update(OwnerStats).where(OwnerStats.owner_id == scope.owner_id)
    await session.execute(statement.values(is_pending=is_pending))


async def owner_ids(session: AsyncSession, tenant_id: UUID) -> Sequence[int]:
    """Return the owners of a tenant who have memories."""
    statement = sa.select(Memory.owner_id).where(Memory.tenant_id == tenant_id).distinct()
    return (await session.scalars(statement)).all()


async def owners_with_expired(
    session: AsyncSession, tenant_id: UUID, *, now: datetime
) -> Sequence[int]:
    """Return the owners of a tenant who have live memories past their ``expires_at``."""
    statement = sa.select(Memory.owner_id).where(
        Memory.tenant_id == tenant_id, Memory.expires_at <= now, Memory.archived_at.is_(None)
    )
    return (await session.scalars(statement.distinct())).all()
