"""Memories by the time they happened."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.relative_times import Days
from app.memories.models import Memory
from app.memories.repository.rows import in_scope
from app.tenants.schemas import Scope

_DAYS = sa.text("""
    SELECT DISTINCT CAST(occurred_at AT TIME ZONE :time_zone AS date) AS day FROM memories
    WHERE owner_id = :owner_id AND archived_at IS NULL AND generated_by IS NULL AND infer
    ORDER BY 1
""")

_YEARS = sa.text("""
    SELECT CAST(extract(year FROM min(occurred_at)) AS integer) AS first,
        CAST(extract(year FROM max(occurred_at)) AS integer) AS last
    FROM memories WHERE owner_id = :owner_id
""")

# Each look ends at the first row of ix_memories_owner_id_occurred_at_ordinal that is live.
_FIRST_PERIOD = sa.text("""
    SELECT p.no FROM unnest(
        CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]),
        CAST(:first AS date[]), CAST(:last AS date[])
    ) WITH ORDINALITY AS p (since, until, first, last, no)
    WHERE EXISTS (
        SELECT FROM memories m WHERE m.owner_id = :owner_id AND m.archived_at IS NULL
            AND m.occurred_at >= p.since AND m.occurred_at < p.until)
    OR EXISTS (
        SELECT FROM told_days t WHERE t.owner_id = :owner_id
            AND t.since <= p.last AND t.until >= p.first AND t.until - t.since < 7)
    ORDER BY p.no LIMIT 1
""")


class Period(NamedTuple):
    """Days as an owner counts them, and the time [since, until) that they fill."""

    since: datetime
    until: datetime
    days: Days


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


async def years(session: AsyncSession, scope: Scope) -> tuple[int, int] | None:
    """Return the first and the last year (UTC) of an owner's memories."""
    row = (await session.execute(_YEARS, {"owner_id": scope.owner_id})).one()
    return None if row.first is None else (row.first, row.last)


async def first_period(
    session: AsyncSession, scope: Scope, periods: Sequence[Period]
) -> int | None:
    """Return the place of the first period in which, or about which, something was said."""
    values = {
        "owner_id": scope.owner_id,
        "since": [one.since for one in periods],
        "until": [one.until for one in periods],
        "first": [one.days.since for one in periods],
        "last": [one.days.until for one in periods],
    }
    found: int | None = (await session.execute(_FIRST_PERIOD, values)).scalar_one_or_none()
    return None if found is None else found - 1
