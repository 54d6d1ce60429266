"""Summaries of days."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.profiles.models import DaySummary
from app.tenants.schemas import Scope

_TOUCH = sa.text("""
    INSERT INTO day_summaries (
        owner_id, day, time_zone, is_stale, lines, portrait, source_ordinals, updated_at)
    SELECT :owner_id, day, :time_zone, true, '[]', '{}', '{}', :now
    FROM unnest(CAST(:days AS date[])) AS d (day)
    ON CONFLICT (owner_id, day) DO UPDATE SET is_stale = true, time_zone = excluded.time_zone
""")


def _in_scope(scope: Scope) -> sa.Select[DaySummary]:
    return sa.select(DaySummary).where(DaySummary.owner_id == scope.owner_id)


async def touch(
    session: AsyncSession, scope: Scope, days: Sequence[date], *, time_zone: str, now: datetime
) -> None:
    """Note that memories of these days came, changed or left."""
    if days:
        values = {"owner_id": scope.owner_id, "days": days, "time_zone": time_zone, "now": now}
        await session.execute(_TOUCH, values)


async def touch_by_sources(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Note that days whose summary was made of these memories are to be looked at again."""
    if ordinals:
        await session.execute(
            sa.update(DaySummary)
            .where(
                DaySummary.owner_id == scope.owner_id,
                DaySummary.source_ordinals.overlap(list(ordinals)),
            )
            .values(is_stale=True)
        )


async def made_of(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Sequence[DaySummary]:
    """Return the days that hold something made of these memories."""
    statement = _in_scope(scope).where(DaySummary.source_ordinals.overlap(list(ordinals)))
    return (await session.scalars(statement)).all()


async def stale(
    session: AsyncSession,
    scope: Scope,
    *,
    before: date | None = None,
    but: Collection[date] = (),
    limit: int = 1,
) -> Sequence[DaySummary]:
    """Return days that are to be made anew, earliest first; those of ``but`` are left out."""
    statement = _in_scope(scope).where(DaySummary.is_stale, DaySummary.day.not_in(but))
    statement = statement.order_by(DaySummary.day).limit(limit)
    if before is not None:
        statement = statement.where(DaySummary.day < before)
    return (await session.scalars(statement)).all()


async def get(session: AsyncSession, scope: Scope, day: date) -> DaySummary | None:
    """Return one day."""
    statement = _in_scope(scope).where(DaySummary.day == day)
    return (await session.execute(statement)).scalar_one_or_none()


async def has_other_zone(session: AsyncSession, scope: Scope, time_zone: str) -> bool:
    """Tell whether days were cut by another time zone."""
    statement = _in_scope(scope).where(DaySummary.time_zone != time_zone).limit(1)
    return (await session.execute(statement)).first() is not None


async def drop_all(session: AsyncSession, scope: Scope) -> None:
    """Delete all days of an owner."""
    await session.execute(sa.delete(DaySummary).where(DaySummary.owner_id == scope.owner_id))


async def made(
    session: AsyncSession, scope: Scope, *, since: date | None = None, limit: int
) -> Sequence[DaySummary]:
    """Return summarised days, the latest first."""
    statement = _in_scope(scope).where(DaySummary.generated_by.is_not(None))
    if since is not None:
        statement = statement.where(DaySummary.day >= since)
    return (await session.scalars(statement.order_by(DaySummary.day.desc()).limit(limit))).all()


async def page(
    session: AsyncSession,
    scope: Scope,
    *,
    since: date | None,
    until: date | None,
    after: int | None,
    limit: int,
) -> Sequence[DaySummary]:
    """Return summarised days of a span (both ends included), earliest first.

    ``after`` is the last day of the page before, as its number in the calendar.
    """
    statement = _in_scope(scope).where(DaySummary.generated_by.is_not(None))
    if since is not None:
        statement = statement.where(DaySummary.day >= since)
    if until is not None:
        statement = statement.where(DaySummary.day <= until)
    if after is not None:
        statement = statement.where(DaySummary.day > date.fromordinal(max(1, after)))
    return (await session.scalars(statement.order_by(DaySummary.day).limit(limit))).all()
