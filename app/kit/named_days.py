"""Calendar days that a text names, such as *on May 3rd*, *3 May 2023* or *2023-05-03*. Pure."""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

_LEAP_YEAR = 2024
_WORDS = frozenset({"may", "march", "mar", "sat", "sun", "mai", "mars"})
"""Names of months that are ordinary words too."""
_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])")


class NamedDay(NamedTuple):
    """A day of the calendar; without a year, of any."""

    year: int | None
    month: int
    day: int


class DayMention(NamedTuple):
    """A day that characters ``start`` to ``stop`` name."""

    start: int
    stop: int
    day: NamedDay


def named_days(text: str, months: Mapping[str, int]) -> list[NamedDay]:
    """Return the days that a text names, in order, each once.

    Args:
        text: any text.
        months: the number of each month by its name in small letters, abbreviations too.
    """
    return list(dict.fromkeys(mention.day for mention in day_mentions(text, months)))


def day_mentions(text: str, months: Mapping[str, int]) -> list[DayMention]:
    """Return where a text names which day, in order."""
    if not any(sign.isdigit() for sign in text):
        return []
    found = [
        (*match.span(), _day(match[1], int(match[2]), match[3])) for match in _ISO.finditer(text)
    ]
    for pattern in _patterns(tuple(sorted(months))):
        for match in pattern.finditer(text):
            if _is_meant(match):
                month = months[match["month"].lower()]
                start = match.end("before") if match["before"] else match.start()
                found.append((start, match.end(), _day(match["year"], month, match["day"])))
    found.sort(key=lambda one: one[0])
    return [DayMention(start, stop, day) for start, stop, day in found if day is not None]


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
