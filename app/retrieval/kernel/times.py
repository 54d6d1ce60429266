"""Dates in questions, and how near memories are to them; words of time. Pure.

Source: LongMemEval, arXiv:2410.10813, time-aware query expansion. Deviation: rules read the time,
and nothing is left out: a memory of another date only ranks lower.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from app.kit.named_days import named_days

_YEAR = re.compile(r"(?<![\w-])((?:19|20)\d\d)(?![\w-])")
_ASKS_WHEN = re.compile(
    r"\W*(?:(?:on|in|at|by|since|until|for) )?"
    r"(?:when|how long|(?:what|which) (?:date|day|month|year|time)"
    r"|(?:seit |bis )?wann|(?:depuis )?quand|(?:desde )?cuándo|(?:da |desde )?quando|wanneer)"
    r"\b",
    re.IGNORECASE,
)
# "When I was in Paris, what …": the word opens a clause, and the question is another.
_CLAUSE = re.compile(
    r"\W*(?:when|quand|quando)\s+"
    r"(?!(?:did|do|does|was|were|is|are|will|would|has|have|had|can|could|shall|should|may|might"
    r"|must|exactly)\b)"
    r"(?:(?:i|you|he|she|it|we|they|my|your|his|her|its|our|their)\b|[^,?]*,\s*\w)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_TIME = """
    yesterday today tonight tomorrow ago day days week weeks weekend weekends month months year
    years summer winter spring autumn
    monday tuesday wednesday thursday friday saturday sunday
    gestern heute morgen woche wochen monat monate jahr jahre hier demain semaine semaines
    ayer mañana semana semanas mes meses ieri domani settimana settimane ontem gisteren
"""
_TIME_WORDS = frozenset(_TIME.split()) | {str(year) for year in range(1900, 2100)}
_AMBIGUOUS = frozenset({"may", "march", "mar", "mai", "mars", "sep", "dec", "set", "ago", "out"})
"""Months that are ordinary words too: alone they name no month."""

_SAME_DAY, _SOON_AFTER, _SAME_MONTH, _OTHER_DAY, _NEXT_MONTH, _SAME_YEAR = (
    1.0,
    0.7,
    0.6,
    0.3,
    0.3,
    0.3,
)
_SOON_DAYS = 10


class NamedDate(NamedTuple):
    """A day, a month or a year as a question names it; what it leaves open is ``None``."""

    year: int | None
    month: int | None
    day: int | None


def named_dates(text: str, months: Mapping[str, int]) -> list[NamedDate]:
    """Return the dates that a question names: its days, else its months, else its years.

    Args:
        text: a question.
        months: the number of each month by its name in small letters, abbreviations too.
    """
    days = named_days(text, months)
    if days:
        return [NamedDate(*day) for day in days]
    found = month_mentions(text, months) or year_mentions(text)
    return list(dict.fromkeys(named for _, _, named in found))


def month_mentions(text: str, months: Mapping[str, int]) -> list[tuple[int, int, NamedDate]]:
    """Return the months that a text names, with the characters where it does, in order."""
    return [
        (
            match.start("month"),
            match.end(),
            NamedDate(int(match["year"]) if match["year"] else None, months[name], None),
        )
        for match in _months(tuple(sorted(months))).finditer(text)
        if (name := match["month"].lower()) not in _AMBIGUOUS or match["year"] or match["in"]
    ]


def year_mentions(text: str) -> list[tuple[int, int, NamedDate]]:
    """Return the years that a text names, with the characters where it does, in order."""
    return [
        (match.start(), match.end(), NamedDate(int(match[1]), None, None))
        for match in _YEAR.finditer(text)
    ]


@lru_cache(maxsize=32)
def _months(names: tuple[str, ...]) -> re.Pattern[str]:
    if not names:
        return re.compile(r"(?P<in>)(?P<month>)(?P<year>)(?!)")
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(
        r"(?<!\w)(?P<in>(?:in|during|before|after|since|until|from|of|im|en|em)\s+)?(?P<month>"
        + "|".join(re.escape(name) for name in longest_first)
        + r")(?!\w)\.?(?:,?\s+(?:of\s+|de\s+|del\s+)?(?P<year>(?:19|20)\d\d)(?!\w))?",
        re.IGNORECASE,
    )


def nearness(happened: date, named: Sequence[NamedDate]) -> float:
    """Return how near a day is to the nearest of named dates, in [0, 1]."""
    return max((_near(happened, one) for one in named), default=0.0)


def _near(happened: date, named: NamedDate) -> float:
    if named.month is None:
        return _SAME_YEAR if happened.year == named.year else 0.0
    months_after = happened.month - named.month
    if named.year is not None:
        months_after += 12 * (happened.year - named.year)
    else:
        months_after %= 12
    if months_after == 1:
        return _NEXT_MONTH
    if months_after != 0:
        return 0.0
    if named.day is None:
        return _SAME_MONTH
    days_after = happened.day - named.day
    if abs(days_after) <= 1:
        return _SAME_DAY
    return _SOON_AFTER if 1 < days_after <= _SOON_DAYS else _OTHER_DAY


def asks_when(text: str) -> bool:
    """Tell whether a question asks for a time."""
    return _ASKS_WHEN.match(text) is not None and _CLAUSE.match(text) is None


def tells_of_time(text: str, words_of_time: frozenset[str]) -> bool:
    """Tell whether a text holds a word of time or a year."""
    words = _WORD.findall(text.lower())  # a search for every name would take ten times as long
    return not words_of_time.isdisjoint(words)


def words_of_time(months: Mapping[str, int]) -> frozenset[str]:
    """Return words of time, years, and the names of months that are nothing else."""
    return _TIME_WORDS | (frozenset(months) - _AMBIGUOUS)
