"""The time that a sentence states for what it says. Pure.

Source: ChroKnowledge, arXiv 2410.09870, facts as (subject, relation, object, time).
Deviation: its data come with a year; here English words are read: "since 2019", "from May 2015 to
2018", "until 3 June 2020", "in 2015". Times without a year are left to the moment of saying.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH = "|".join((*_NAMES, *(rf"{name[:3]}\.?" for name in _NAMES), "sept"))
_DATE = (
    r"(?:\d{4}-\d\d-\d\d"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?\s+(?:{_MONTH}),?\s+\d{{4}}"
    rf"|(?:{_MONTH})\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}"
    rf"|(?:{_MONTH})(?:\s+of)?,?\s+\d{{4}}"
    r"|(?:19|20)\d\d)(?![\d-])"
)
_LEAD = r"[\s,;(]*\b"
_END = r"\)?"
_PATTERNS: Sequence[tuple[str, re.Pattern[str]]] = tuple(
    (name, re.compile(_LEAD + form + _END, re.IGNORECASE))
    for name, form in (
        ("period", rf"(?:from|between)\s+(?P<since>{_DATE})\s*(?:-|to|and|until|till|through|"
                   rf"up\s+to)\s*(?P<until>{_DATE})"),
        ("since", rf"(?:ever\s+)?(?:since|starting(?:\s+in)?|as\s+of|effective|from)\s+"
                  rf"(?P<since>{_DATE})(?:\s+on(?:wards?)?)?"),
        ("until", rf"(?:until|till|up\s+to)\s+(?P<until>{_DATE})"),
        ("in", rf"(?:(?:back\s+)?in|on|during)\s+(?P<since>{_DATE})"),
    )
)  # fmt: skip
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[a-z]{3}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a sentence says of time, and the sentence without it."""

    rest: str
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    unit_end: datetime | None = None
    """Where only "in 2015" was said: the end of that year, month or day, exclusive."""


def stated(sentence: str) -> Stated:
    """Return the time that a sentence states; what it names first by form, not by place."""
    for name, pattern in _PATTERNS:
        match = pattern.search(sentence)
        if match is None:
            continue
        spans = {key: _span(text) for key, text in match.groupdict().items() if text}
        if any(span is None for span in spans.values()):
            continue
        rest = _without(sentence, match)
        since, until = spans.get("since"), spans.get("until")
        if since and until and since[0] >= until[0]:
            continue
        return Stated(
            rest,
            since=since[0] if since else None,
            until=until[0] if until else None,
            unit_end=since[1] if since and name == "in" else None,
        )
    return Stated(sentence)


def _without(sentence: str, match: re.Match[str]) -> str:
    before, after = sentence[: match.start()], sentence[match.end() :]
    if not before.strip():
        return after.lstrip(" ,;")
    return before + after


def _span(text: str) -> tuple[datetime, datetime] | None:
    """Return [first, last) of a date, month or year in UTC; ``None`` for none of the calendar."""
    numbers = [int(number) for number in _NUMBER.findall(text)]
    named = [word.lower() for word in _WORD.findall(text)]
    month = next((at for at, name in enumerate(_NAMES, 1) if name[:3] in named), None)
    if "-" in text:
        year, month, day = numbers
    elif month is None:
        year, month, day = numbers[0], None, None
    elif len(numbers) == 1:
        year, day = numbers[0], None
    else:
        day, year = numbers
    return _bounds(year, month, day)


def _bounds(year: int, month: int | None, day: int | None) -> tuple[datetime, datetime] | None:
    try:
        first = datetime(year, month or 1, day or 1, tzinfo=UTC)
        if day is not None:
            return first, datetime.fromordinal(first.toordinal() + 1).replace(tzinfo=UTC)
        if month is not None:
            following = (year, month + 1) if month < 12 else (year + 1, 1)
            return first, datetime(*following, 1, tzinfo=UTC)
        return first, datetime(year + 1, 1, 1, tzinfo=UTC)
    except ValueError:
        return None
