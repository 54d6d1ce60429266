"""Memories by the time they happened."""

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import Memory
from app.memories.repository.rows import in_scope
from app.tenants.schemas import Scope

_DAYS = sa.text("""
    SELECT DISTINCT CAST(occurred_at AT TIME ZONE :time_zone AS date) AS day FROM memories
    WHERE owner_id = :owner_id AND archived_at IS NULL AND generated_by IS NULL AND infer
    ORDER BY 1
""")

_LAST_YEAR = sa.text("""
    SELECT max(CAST(extract(year FROM occurred_at AT TIME ZONE :time_zone) AS integer))
    FROM memories WHERE owner_id = :owner_id AND archived_at IS NULL
        AND CAST(extract(month FROM occurred_at AT TIME ZONE :time_zone) AS integer) = :month
        AND CAST(extract(day FROM occurred_at AT TIME ZONE :time_zone) AS integer) = :day
""")


async def in_period(
    session: AsyncSession, scope: Scope, since: datetime, until: datetime, *, limit: int
) -> Sequence[Memory]:
    """Return live verbatim memories that mechanisms may use, of [since, until), by time."""
    statement = (
        in_scope(scope)
        .where(
            Memory.occurred_at >= since,
            Memory.occurred_at < until,
            Memory.archived_at.is_(None),
            Memory.generated_by.is_(None),
            Memory.infer,
        )
        .order_by(Memory.occurred_at, Memory.ordinal)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def local_days(session: AsyncSession, scope: Scope, time_zone: str) -> Sequence[date]:
    """Return the days of a time zone on which live verbatim memories lie."""
    values = {"owner_id": scope.owner_id, "time_zone": time_zone}
    return (await session.scalars(_DAYS, values)).all()


async def last_year_of_day(
    session: AsyncSession, scope: Scope, time_zone: str, *, month: int, day: int
) -> int | None:
    """Return the latest year in which something is remembered of a day of the year."""
    values = {"owner_id": scope.owner_id, "time_zone": time_zone, "month": month, "day": day}
    found: int | None = (await session.execute(_LAST_YEAR, values)).scalar_one()
    return found
