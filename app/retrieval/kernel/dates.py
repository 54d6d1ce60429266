"""Calendar days that a question names, such as *on May 3rd*, *3 May 2023* or *2023-05-03*. Pure.

Source: LongMemEval, arXiv:2410.10813, time-aware query expansion; MemoryBank, arXiv:2305.10250,
whose memories and questions go by day. Deviation: a named day is read by rule, not by a language
model; spans and relative times (*last week*) are not read.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from app.retrieval.kernel.candidates import NOTHING, Candidate

DAY_WEIGHT = 3
"""Weight of the score among what happened on a named day, against that among everything."""
_LEAP_YEAR = 2024
_WORDS = frozenset({"may", "march", "mar", "sat", "sun", "mai", "mars"})
"""Names of months that are ordinary words too."""
_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])")


class NamedDay(NamedTuple):
    """A day of the calendar; without a year, of any."""

    year: int | None
    month: int
    day: int


def named_days(text: str, months: Mapping[str, int]) -> list[NamedDay]:
    """Return the days that a text names, in order, each once.

    Args:
        text: a question.
        months: the number of each month by its name in small letters, abbreviations too.
    """
    if not any(sign.isdigit() for sign in text):
        return []
    found = [
        (match.start(), _day(match[1], int(match[2]), match[3])) for match in _ISO.finditer(text)
    ]
    for pattern in _patterns(tuple(sorted(months))):
        for match in pattern.finditer(text):
            if _is_meant(match):
                month = months[match["month"].lower()]
                found.append((match.start(), _day(match["year"], month, match["day"])))
    ordered = (day for _, day in sorted(found, key=lambda one: one[0]) if day is not None)
    return list(dict.fromkeys(ordered))


@lru_cache(maxsize=32)
def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    if not names:
        return ()
    month = (
        "(?P<month>" + "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True)) + ")"
    )
    day = r"(?P<day>\d{1,2})(?P<suffix>st|nd|rd|th|er|re|\.|\u00ba|\u00aa)?"
    year = r"(?:,?\s+(?:de\s+|del\s+)?(?P<year>\d{4}))?(?!\d|\w)"
    before = r"(?<![\w.-])(?P<before>(?:on|of|since|until|from|am|le|el)\s+(?:the\s+)?)?"
    return (
        re.compile(before + month + r"\.?\s+" + day + r"(?![\d:]|\.\d)" + year, re.IGNORECASE),
        re.compile(before + day + r"\s+(?:of\s+|de\s+)?" + month + r"\.?" + year, re.IGNORECASE),
    )


def _is_meant(match: re.Match[str]) -> bool:
    """Tell a month from an ordinary word: *may 5 friends come* names no day."""
    name = match["month"]
    is_plain = name.lower() in _WORDS and name[0].islower()
    return not is_plain or bool(match["suffix"] or match["before"] or match["year"])


def _day(year: str | None, month: int, day: str) -> NamedDay | None:
    """Return a day if the calendar has it."""
    found = NamedDay(int(year) if year else None, month, int(day))
    try:
        date(found.year or _LEAP_YEAR, found.month, found.day)
    except ValueError:
        return None
    return found


def prefer(found: Sequence[Candidate], on_day: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates of a recall and of one narrowed to the named days, best first.

    A score is the weighted mean of both, and of nothing for those of other days: the best of a
    day goes before the best of all others, but what fits better may stand between the rest.
    """
    everywhere = {one.ordinal: one for one in found}
    there = {one.ordinal: one for one in on_day}
    total = 1 + DAY_WEIGHT
    scored = []
    for ordinal in everywhere.keys() | there.keys():
        one = everywhere.get(ordinal)
        narrowed = there.get(ordinal)
        day = narrowed.score if narrowed else 0.0
        # One that only the narrowed recall found was too far down in the other to count.
        held = one or there[ordinal]._replace(score=0.0, fused=0.0, features=NOTHING)
        score = (held.score + DAY_WEIGHT * day) / total
        scored.append(held._replace(score=score, on_day=day))
    return sorted(scored, key=lambda one: (-one.score, one.ordinal))


def months_of(names: Mapping[str, object]) -> dict[str, int]:
    """Return months by each of their names, from lists of names by the English one."""
    found: dict[str, int] = {}
    for number, english in enumerate(ENGLISH, 1):
        given = names.get(english, ())
        for name in given if isinstance(given, list | tuple) else ():
            found[str(name).lower().rstrip(".")] = number
    return {name: number for name, number in found.items() if name and not name.isdigit()}


ENGLISH = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
