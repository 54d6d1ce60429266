"""What days a question asks about, in absolute terms: spans, open ends and named dates. Pure.

Source: LongMemEval, arXiv:2410.10813, time-aware query expansion. Deviation: rules read the time
and resolve it against the day of the question; what lies outside of it only ranks lower.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from app.kit.named_days import NamedDay, day_mentions
from app.kit.relative_times import Days, Mention, Reader, month_span
from app.retrieval.kernel.times import NamedDate, month_mentions, nearness, year_mentions

SLACK_DAYS = 2
"""A span is soft by so many days at both ends."""
_JUST_OUTSIDE = 0.7
_FROM_TODAY = 0.4
"""*Last week* may be meant from another day than the question's: it says less than a date."""
_TOLD_MONTH = 0.6
_TOLD_YEAR = 0.3
_FIRST = date(2, 1, 1)
_LAST = date(9998, 12, 31)

_ARTICLE = r"(?:\s+(?:the|on|in|le|la|el|il|o|dem|der|den|di|de|del|du))*\s+"
_BEFORE = re.compile(
    r"\b(?:before|prior to|earlier than|until|till|up to|vor|bis|avant|antes|prima|voor)"
    + _ARTICLE
    + r"$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\b(?:after|later than|nach|après|después|depois|dopo|na)" + _ARTICLE + "$", re.IGNORECASE
)
_SINCE = re.compile(
    r"\b(?:since|starting|seit|ab|depuis|desde|dal|sinds)" + _ARTICLE + "$", re.IGNORECASE
)
_BETWEEN = re.compile(
    r"\b(?:between|from|zwischen|von|vom|entre|du|desde|dal|tra|tussen|van)" + _ARTICLE + "$",
    re.IGNORECASE,
)
_AND = re.compile(
    r"\s*(?:,\s*)?(?:and|to|until|till|through|und|bis|et|au|y|e|a|hasta|al|en|tot|-|\u2013)\s+"
    r"(?:(?:the|on|in|dem|le|el|zum)\s+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Times:
    """What days a question asks about."""

    days: Sequence[NamedDay] = ()
    """Named days; without a year, the latest of which something is held."""
    named: Sequence[NamedDate] = ()
    """The same days, else months, else years."""
    spans: Sequence[Days] = ()
    """Days told from the question's own day, and whatever lies before, after or between."""
    from_today: bool = False
    """Whether all that it asks about is told from the day on which it is asked."""

    @property
    def is_dated(self) -> bool:
        """Tell whether it asks about any."""
        return bool(self.named or self.spans)

    def nearness(self, said: date, told: Sequence[Days] = ()) -> float:
        """Return how near a memory is to the days asked about, in [0, 1].

        Args:
            said: the day on which it was said, in the owner's time zone.
            told: days that it tells of besides.
        """
        near = max(
            nearness(said, self.named),
            max((_closeness(said, span) for span in self.spans), default=0.0),
            max((self._told(span) for span in told), default=0.0),
        )
        return near * _FROM_TODAY if self.from_today else near

    def _told(self, told: Days) -> float:
        if any(told.since <= span.until and told.until >= span.since for span in self.spans):
            return 1.0
        return max((_told_of(told, named) for named in self.named), default=0.0)


class _Part(NamedTuple):
    """A time within a question, as it was named and as the days that it means."""

    mention: Mention
    named: NamedDate | None


def read(text: str, *, today: date, months: Mapping[str, int], reader: Reader) -> Times:
    """Return the days that a question asks about.

    Args:
        text: the question.
        today: the day on which it is asked, in the owner's time zone.
        months: the number of each month by its name.
        reader: reads relative times.
    """
    parts = _parts(text, today, months, reader)
    named: list[NamedDate] = []
    spans: list[Days] = []
    place = 0
    while place < len(parts):
        one = parts[place]
        joined = _joined(text, parts[place : place + 2])
        span = joined or _beside(text[: one.mention.start], one.mention.days, today, reader)
        if span is not None:
            spans.append(span)
        elif one.named is not None:
            named.append(one.named)
        else:
            spans.append(one.mention.days)
        place += 2 if joined else 1
    kept = _most_exact(named)
    days = [NamedDay(one.year, one.month, one.day) for one in kept if one.month and one.day]
    relative = {part.mention.days for part in parts if part.named is None}
    from_today = bool(spans) and not named and all(span in relative for span in spans)
    has_anchor = any(one.day.year is not None for one in day_mentions(text, months))
    return Times(days, kept, list(dict.fromkeys(spans)), from_today and not has_anchor)


def _parts(text: str, today: date, months: Mapping[str, int], reader: Reader) -> list[_Part]:
    """Return the times in a text in order; a word belongs to one of them only.

    With a day of a year in it the text is told from that day: *last week, as she said on
    November 6, 2023*.
    """
    said = [(m.start, m.stop, NamedDate(*m.day)) for m in day_mentions(text, months)]
    whole = {
        date(one.year, one.month, one.day)
        for _, _, one in said
        if one.year and one.month and one.day
    }
    told_from = whole.pop() if len(whole) == 1 else today
    found = [_Part(mention, None) for mention in reader.mentions(text, told_from)]
    for start, stop, one in [*said, *month_mentions(text, months), *year_mentions(text)]:
        days = _resolved(one, today)
        taken = any(start < part.mention.stop and stop > part.mention.start for part in found)
        if days is not None and not taken:
            found.append(_Part(Mention(start, stop, days), one))
    found.sort(key=lambda part: part.mention.start)
    return [one for place, one in enumerate(found) if not _is_anchor(text, found, place)]


def _is_anchor(text: str, parts: Sequence[_Part], place: int) -> bool:
    """Tell whether a time only says from when the one in front of it is told."""
    if place == 0 or parts[place - 1].named is not None or parts[place].named is None:
        return False
    between = text[parts[place - 1].mention.stop : parts[place].mention.start]
    return bool(_BEFORE.fullmatch(between.strip() + " "))


def _resolved(named: NamedDate, today: date) -> Days | None:
    """Return the days that a name means; without a year the latest that has begun."""
    years = [named.year] if named.year is not None else range(today.year, today.year - 9, -1)
    for year in years:
        span = _of_year(named, year)
        if span is not None and (named.year is not None or span.since <= today):
            return span
    return None


def _of_year(named: NamedDate, year: int) -> Days | None:
    try:
        if named.month is None:
            return Days(date(year, 1, 1), date(year, 12, 31))
        if named.day is None:
            return month_span(year, named.month)
        return Days(date(year, named.month, named.day), date(year, named.month, named.day))
    except ValueError:
        return None


def _joined(text: str, parts: Sequence[_Part]) -> Days | None:
    """Return the days between two times, where the text says *between* or *from*."""
    if len(parts) != 2:
        return None
    first, second = (part.mention for part in parts)
    if not _BETWEEN.search(text[: first.start]):
        return None
    if not _AND.fullmatch(text[first.stop : second.start]):
        return None
    since = _in_year_of(parts[0], second.days.until) or first.days.since
    return Days(since, second.days.until) if since <= second.days.until else None


def _in_year_of(part: _Part, end: date) -> date | None:
    """Return when a time without a year begins, as the last one before ``end``."""
    if part.named is None or part.named.year is not None:
        return None
    found = _resolved(part.named, end)
    return found.since if found is not None else None


def _beside(before: str, days: Days, today: date, reader: Reader) -> Days | None:
    """Return the days before, after or since a time, where the words in front say so."""
    anchored = reader.anchored(before, days)
    if anchored is not None:
        return anchored
    day = timedelta(days=1)
    if _BEFORE.search(before) and days.since > _FIRST:
        return Days(_FIRST, days.since - day)
    if _AFTER.search(before) and days.until < _LAST:
        return Days(days.until + day, max(today, days.until + day))
    if _SINCE.search(before):
        return Days(days.since, max(today, days.until))
    return None


def _most_exact(named: Sequence[NamedDate]) -> list[NamedDate]:
    """Return the days among dates, else the months, else the years; each once."""
    days = [one for one in named if one.day is not None]
    months = [one for one in named if one.month is not None]
    return list(dict.fromkeys(days or months or named))


def _closeness(said: date, span: Days) -> float:
    if span.since <= said <= span.until:
        return 1.0
    outside = (span.since - said).days if said < span.since else (said - span.until).days
    return _JUST_OUTSIDE if outside <= SLACK_DAYS else 0.0


def _told_of(told: Days, named: NamedDate) -> float:
    """Return how near days that a memory tells of are to a named date, in [0, 1]."""
    if named.day is not None and named.month is not None and told.length <= 2 * SLACK_DAYS + 3:
        years = {told.since.year, told.until.year} if named.year is None else {named.year}
        spans = [_of_year(named, year) for year in sorted(years)]
        day = timedelta(days=1)
        if any(one and told.since - day <= one.since <= told.until + day for one in spans):
            return 1.0
        return 0.0
    return max(_in_month(told.since, named), _in_month(told.until, named))


def _in_month(day: date, named: NamedDate) -> float:
    if named.year not in {None, day.year}:
        return 0.0
    if named.month is None:
        return _TOLD_YEAR
    return _TOLD_MONTH if named.month == day.month and named.day is None else 0.0
