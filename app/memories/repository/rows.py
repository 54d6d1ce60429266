"""Memories: their rows, and the lists that show them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import Memory
from app.memories.schemas import NewMemory
from app.tenants.models import Owner
from app.tenants.schemas import OwnerName, Scope

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
        is_shown = sa.and_(
            Memory.archived_at.is_(None),
            sa.or_(Memory.expires_at.is_(None), Memory.expires_at > sa.func.now()),
        )
        is_live = sa.and_(is_shown, Memory.replaced_by.is_(None))
        statement = statement.where(is_live if query.state == "live" else sa.not_(is_shown))
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


async def following(
    session: AsyncSession, scope: Scope, turns: Sequence[Memory]
) -> Sequence[Memory]:
    """Return the turns right behind these in their sessions."""
    statement = in_scope(scope).where(
        Memory.session_id.in_({one.session_id for one in turns if one.session_id is not None}),
        Memory.context_ordinal.in_([one.ordinal for one in turns]),
    )
    return (await session.scalars(statement)).all()


async def erase(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Delete memories; their sources, keys, vectors and history go with them."""
    statement = sa.delete(Memory).where(
        Memory.owner_id == scope.owner_id, Memory.ordinal.in_(ordinals)
    )
    await session.execute(statement)


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
