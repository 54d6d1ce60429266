"""Days that memories tell of, besides those on which they were said."""

from collections.abc import Mapping, Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.relative_times import Days
from app.memories.models import ToldDays
from app.tenants.schemas import Scope

_VAGUE_DAYS = 13
"""*Last month* says little of a day: of a short period only what is told of about as short."""

_INSERT = sa.text("""
    INSERT INTO told_days (owner_id, memory_ordinal, since, until)
    SELECT :owner_id, * FROM unnest(
        CAST(:ordinals AS integer[]), CAST(:since AS date[]), CAST(:until AS date[]))
    ON CONFLICT DO NOTHING
""")

_TELLING = sa.text("""
    SELECT DISTINCT t.memory_ordinal FROM unnest(CAST(:since AS date[]), CAST(:until AS date[]))
        AS p (since, until)
    CROSS JOIN LATERAL (
        SELECT memory_ordinal FROM told_days
        WHERE owner_id = :owner_id AND since <= p.until AND until >= p.since
            AND until - since <= greatest(:vague, 2 * (p.until - p.since))
        ORDER BY since DESC LIMIT :limit) t
    ORDER BY 1 DESC LIMIT :limit
""")


async def add(session: AsyncSession, scope: Scope, found: Mapping[int, Sequence[Days]]) -> None:
    """Note which days memories, by ordinal, tell of."""
    rows = [(ordinal, span) for ordinal, spans in found.items() for span in spans]
    if rows:
        values = {
            "owner_id": scope.owner_id,
            "ordinals": [ordinal for ordinal, _ in rows],
            "since": [span.since for _, span in rows],
            "until": [span.until for _, span in rows],
        }
        await session.execute(_INSERT, values)


async def drop(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Forget which days these memories tell of."""
    statement = sa.delete(ToldDays).where(
        ToldDays.owner_id == scope.owner_id, ToldDays.memory_ordinal.in_(ordinals)
    )
    await session.execute(statement)


async def of_memories(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, list[Days]]:
    """Return the days that memories tell of, by ordinal; nothing of those that tell of none."""
    statement = (
        sa.select(ToldDays.memory_ordinal, ToldDays.since, ToldDays.until)
        .where(ToldDays.owner_id == scope.owner_id, ToldDays.memory_ordinal.in_(ordinals))
        .order_by(ToldDays.memory_ordinal, ToldDays.since)
    )
    found: dict[int, list[Days]] = {}
    for ordinal, since, until in await session.execute(statement):
        found.setdefault(ordinal, []).append(Days(since, until))
    return found


async def telling(
    session: AsyncSession, scope: Scope, periods: Sequence[tuple[date, date]], *, limit: int
) -> Sequence[int]:
    """Return the ordinals of memories that tell of days within periods, both ends included."""
    values = {
        "owner_id": scope.owner_id,
        "since": [since for since, _ in periods],
        "until": [until for _, until in periods],
        "limit": limit,
        "vague": _VAGUE_DAYS,
    }
    return (await session.scalars(_TELLING, values)).all()
