"""Questions that name a day: that day in the owner's time zone."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.memories import service as memories
from app.retrieval.kernel import dates
from app.retrieval.kernel.dates import NamedDay
from app.retrieval.kernel.filters import All, AnyOf, Condition
from app.retrieval.repository.filters import Narrowing
from app.tenants.schemas import LocalSettings, Scope

_MOST_DAYS = 8
_MOST_YEARS = 100

Period = tuple[datetime, datetime]


async def narrowed(
    session: AsyncSession, scope: Scope, local: LocalSettings, text: str, narrowing: Narrowing
) -> Narrowing | None:
    """Return a narrowing to the days that a question names; ``None`` if it names none we know.

    A day without a year is the latest one of which something is remembered.
    """
    named = dates.named_days(text, month_names(local.language))[:_MOST_DAYS]
    if not named:
        return None
    zone = ZoneInfo(local.time_zone)
    found = [await _period(session, scope, one, zone) for one in named]
    periods = [period for period in found if period is not None]
    if not periods:
        return None
    on_days = AnyOf(tuple(_within(period) for period in periods))
    node = on_days if narrowing.node is None else All((narrowing.node, on_days))
    return replace(narrowing, node=node)


async def _period(
    session: AsyncSession, scope: Scope, named: NamedDay, zone: ZoneInfo
) -> Period | None:
    if named.year is not None:
        days: Sequence[date] = [date(named.year, named.month, named.day)]
    else:
        span = await memories.years(session, scope)
        days = _each_year(named, *span) if span is not None else ()
    periods = [period for day in days if (period := _bounds(day, zone)) is not None]
    place = await memories.first_period(session, scope, periods) if periods else None
    return None if place is None else periods[place]


def _each_year(named: NamedDay, first: int, last: int) -> list[date]:
    """Return the day in each of the years that have it, latest first."""
    # The zone may be in another year than UTC.
    years = range(min(last + 1, date.max.year), max(first - 2, last - _MOST_YEARS, 0), -1)
    leap_only = (named.month, named.day) == (2, 29)
    return [date(year, named.month, named.day) for year in years if not leap_only or _is_leap(year)]


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _bounds(day: date, zone: ZoneInfo) -> Period | None:
    """Return when a day begins and ends; ``None`` at the ends of the calendar."""
    try:
        start = datetime.combine(day, time.min, zone)
        stop = datetime.combine(day + timedelta(days=1), time.min, zone)
        return start.astimezone(UTC), stop.astimezone(UTC)
    except OverflowError:
        return None


def _within(period: Period) -> All:
    since, until = period
    return All(
        (
            Condition("occurred_at", (), "time", "gte", since),
            Condition("occurred_at", (), "time", "lt", until),
        )
    )


@lru_cache(maxsize=64)
def month_names(language: str) -> Mapping[str, int]:
    """Return the months by their names in a language and in English."""
    return {**_names("en"), **_names(language)}


def _names(language: str) -> dict[str, int]:
    """Return what the date library knows of a language; nothing of one it does not know."""
    code = {"no": "nb"}.get(language, language)
    try:
        known = importlib.import_module("dateparser.data.date_translation_data." + code)
    except ModuleNotFoundError:
        return {}
    return dates.months_of(known.info)
