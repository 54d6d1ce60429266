"""Questions that tell of a time: those days in the owner's time zone, and what tells of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import time_vocabulary
from app.kit.named_days import NamedDay
from app.kit.relative_times import Days
from app.memories import service as memories
from app.memories.kernel import in_zone
from app.memories.service import Period
from app.retrieval.kernel import spans
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.filters import All, AnyOf, Condition, FilterNode
from app.retrieval.kernel.spans import SLACK_DAYS, Times
from app.retrieval.repository.filters import Narrowing
from app.tenants.schemas import LocalSettings, Scope

_MOST_TIMES = 8
_MOST_YEARS = 100
_TOLD_SHARE = 0.7
_MOST_TELLING = 1_000
"""Memories that tell of a time, at most; it was said of more, they are found by what was said."""


@dataclass(frozen=True, slots=True)
class Dated:
    """The times that a question tells of, and how memories lie to them."""

    times: Times
    zone: ZoneInfo
    told: Mapping[int, Sequence[Days]]
    """Days that memories, by ordinal, tell of besides those on which they were said."""

    def nearness(self, one: Candidate) -> float:
        """Return how near a memory is to the times asked about, in [0, 1]."""
        said = in_zone(one.occurred_at, self.zone).date()
        return self.times.nearness(said, self.told.get(one.ordinal, ()))

    def shared(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Return memories of the named days with what counts of their scores there.

        All of it if it was said on one of them; what only tells of such a day comes behind.
        """
        return [one._replace(score=one.score * self._share(one)) for one in found]

    def _share(self, one: Candidate) -> float:
        said = in_zone(one.occurred_at, self.zone).date()
        on_them = (said.year, said.month, said.day)
        named = self.times.days
        is_of_them = any((day.year or said.year, day.month, day.day) == on_them for day in named)
        return 1.0 if is_of_them or not named or self.times.spans else _TOLD_SHARE


def read(text: str, local: LocalSettings, *, names: Collection[str], at: datetime) -> Times:
    """Return the times that a question tells of; none is resolved against the caller's clock.

    Args:
        text: the question.
        local: the owner's language and time zone.
        names: words that are people's names here, such as June; they are no months.
        at: when it is asked.
    """
    months = time_vocabulary.month_names(local.language)
    if not months.keys().isdisjoint(names):
        months = {month: number for month, number in months.items() if month not in names}
    today = in_zone(at, ZoneInfo(local.time_zone)).date()
    reader = time_vocabulary.reader(local.language)
    return spans.read(text, today=today, months=months, reader=reader)


async def dated(
    session: AsyncSession,
    scope: Scope,
    local: LocalSettings,
    times: Times,
    candidates: Collection[Candidate],
) -> Dated:
    """Look up what days candidates tell of, if the question asks about any."""
    ordinals = sorted({one.ordinal for one in candidates})
    is_asked = times.is_dated and ordinals
    told = await memories.told_days(session, scope, ordinals) if is_asked else {}
    return Dated(times, ZoneInfo(local.time_zone), told)


async def narrowed(
    session: AsyncSession, scope: Scope, local: LocalSettings, times: Times, narrowing: Narrowing
) -> Narrowing | None:
    """Return a narrowing to the days that a question asks about; ``None`` if we hold none of them.

    A day without a year is the latest one of which something is remembered. Whatever tells of
    these days passes too, whenever it was said.
    """
    zone = ZoneInfo(local.time_zone)
    found = [await _of_day(session, scope, one, zone) for one in times.days[:_MOST_TIMES]]
    found += [await _of_span(session, scope, one, zone) for one in times.spans[:_MOST_TIMES]]
    periods = [period for period in found if period is not None]
    if not periods:
        return None
    days = [period.days for period in periods]
    telling = await memories.telling(session, scope, days, limit=_MOST_TELLING)
    nodes: list[FilterNode] = [_within(period) for period in periods]
    if telling:
        nodes.append(Condition("ordinal", (), "number", "in", list(telling)))
    on_days = AnyOf(tuple(nodes))
    node = on_days if narrowing.node is None else All((narrowing.node, on_days))
    return replace(narrowing, node=node)


async def _of_day(
    session: AsyncSession, scope: Scope, named: NamedDay, zone: ZoneInfo
) -> Period | None:
    if named.year is not None:
        days: Sequence[date] = [date(named.year, named.month, named.day)]
    else:
        held = await memories.years(session, scope)
        days = _each_year(named, *held) if held is not None else ()
    return await _held(session, scope, [_bounds(Days(day, day), zone) for day in days])


async def _of_span(
    session: AsyncSession, scope: Scope, span: Days, zone: ZoneInfo
) -> Period | None:
    return await _held(session, scope, [_bounds(span, zone, slack=SLACK_DAYS)])


async def _held(
    session: AsyncSession, scope: Scope, periods: Sequence[Period | None]
) -> Period | None:
    """Return the first of the periods of which something is remembered."""
    known = [period for period in periods if period is not None]
    place = await memories.first_period(session, scope, known) if known else None
    return None if place is None else known[place]


def _each_year(named: NamedDay, first: int, last: int) -> list[date]:
    """Return the day in each of the years that have it, latest first."""
    # The zone may be in another year than UTC.
    years = range(min(last + 1, date.max.year), max(first - 2, last - _MOST_YEARS, 0), -1)
    leap_only = (named.month, named.day) == (2, 29)
    return [date(year, named.month, named.day) for year in years if not leap_only or _is_leap(year)]


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _bounds(days: Days, zone: ZoneInfo, *, slack: int = 0) -> Period | None:
    """Return the time that days fill, softened by some more; ``None`` beyond the calendar."""
    try:
        start = datetime.combine(days.since - timedelta(days=slack), time.min, zone)
        stop = datetime.combine(days.until + timedelta(days=slack + 1), time.min, zone)
        return Period(start.astimezone(UTC), stop.astimezone(UTC), days)
    except OverflowError:
        return None


def _within(period: Period) -> All:
    return All(
        (
            Condition("occurred_at", (), "time", "gte", period.since),
            Condition("occurred_at", (), "time", "lt", period.until),
        )
    )
