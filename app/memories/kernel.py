"""How a memory becomes keys: which texts are searched by keyword, which by vector. Pure.

The vector is made from the bare turn, the keyword key also from the turn before and the date in
words: on conversations both choices raise recall (docs/explanation/recall.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Literal

from app.kit.named_days import NamedDay, day_mentions
from app.kit.relative_times import Days, Reader

KeyKind = Literal["value", "chunk"]

CONTEXT_CHARACTERS = 1_000
"""Characters of the turn before that a key carries, at most."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """One key of a memory: characters ``start`` to ``stop`` of its content, and its text."""

    kind: KeyKind
    start: int
    stop: int
    lexical_text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What of a memory goes into its keys."""

    content: str
    name: str | None
    occurred_at: datetime
    previous: str | None
    """The turn before in the same session, as :func:`spoken`."""


def spoken(content: str, name: str | None) -> str:
    """Return the bare turn: who said it, and what."""
    return f"{name}: {content}" if name else content


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Return the time as it is in a zone; at the ends of the calendar, as it is."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def date_words(moment: datetime, zone: tzinfo) -> str:
    """Return the date as people write it in questions, in the owner's time zone."""
    local = in_zone(moment, zone)
    return f"{local.day} {local:%B} {local.year}"


def dense_text(content: str, name: str | None, start: int, stop: int) -> str:
    """Return the text that a key's vector is made of: the bare turn, cut to the key's span."""
    return spoken(content[start:stop], name if start == 0 else None)


def lexical_text(statement: Statement, start: int, stop: int, zone: tzinfo) -> str:
    """Return the text whose stems a key is found by; the first also carries the turn before.

    Of a long turn before only the end counts: what follows answers that, not all of it.
    """
    before = statement.previous[-CONTEXT_CHARACTERS:] if statement.previous and not start else None
    bare = dense_text(statement.content, statement.name, start, stop)
    date = date_words(statement.occurred_at, zone)
    return " ".join(part for part in (before, bare, date) if part)


def plan_keys(statement: Statement, windows: Sequence[Span], zone: tzinfo) -> list[KeyPlan]:
    """Plan one key per window of the bare turn.

    Args:
        statement: the memory.
        windows: character spans of :func:`spoken`'s text, in order, at least one.
        zone: the owner's time zone.
    """
    prefix = len(spoken("", statement.name))
    kind: KeyKind = "value" if len(windows) == 1 else "chunk"
    plans = []
    for bare_start, bare_stop in windows:
        start, stop = max(0, bare_start - prefix), max(0, bare_stop - prefix)
        plans.append(KeyPlan(kind, start, stop, lexical_text(statement, start, stop, zone)))
    return plans


MOST_TOLD = 16
"""Days or spans that are noted of one memory, at most."""
_LONGEST_TOLD = 100
"""Days; a season is told of, a year is not."""


def told_days(content: str, said: date, reader: Reader, months: Mapping[str, int]) -> list[Days]:
    """Return the days that a text tells of besides the one on which it was said, in order.

    Source: LongMemEval, arXiv:2410.10813, dates of events at indexing time. Deviation: rules read
    them, not a language model.

    Args:
        content: what was said.
        said: the day, in the owner's time zone.
        reader: reads relative times, such as *last Friday*.
        months: the number of each month by its name.
    """
    found = [(mention.start, mention.days) for mention in reader.mentions(content, said)]
    for mention in day_mentions(content, months):
        day = nearest_day(mention.day, said)
        if day is not None:
            found.append((mention.start, Days(day, day)))
    spans = [span for _, span in sorted(found) if span.length <= _LONGEST_TOLD]
    return list(dict.fromkeys(span for span in spans if span != Days(said, said)))[:MOST_TOLD]


def nearest_day(named: NamedDay, said: date) -> date | None:
    """Return the day that is meant: without a year the one nearest to when it was said."""
    years = [named.year] if named.year is not None else range(said.year - 1, said.year + 2)
    days = []
    for year in years:
        try:
            days.append(date(year, named.month, named.day))
        except ValueError:  # a year without this day, or beyond the calendar
            continue
    return min(days, key=lambda day: abs((day - said).days), default=None)
