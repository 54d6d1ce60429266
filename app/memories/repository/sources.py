"""What memories were made of: their episodes, and the memories behind derived ones."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import MemorySource
from app.tenants.schemas import Scope

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


async def add(session: AsyncSession, scope: Scope, pairs: Sequence[tuple[int, int]]) -> None:
    """Note which memories were made of which: pairs of ordinal and source's ordinal."""
    values = {
        "owner_id": scope.owner_id,
        "ordinals": [ordinal for ordinal, _ in pairs],
        "sources": [source for _, source in pairs],
    }
    await session.execute(_ADD_SOURCES, values)


async def memories(
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


async def episodes(
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
