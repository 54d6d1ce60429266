"""Numbers as texts write them, and what each may mean."""

import re
from decimal import Decimal

from app.llm.kernel import languages, lexicon

_SPACED = re.compile(r"[\s\u00a0\u202f'\u2019]")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_LONGEST = 30


def readings(written: str, follower: str, *, is_unit: bool) -> frozenset[str]:
    """Return what a number in digits may mean, in plain decimal form.

    Args:
        written: digits with marks, such as ``1,200.50`` or ``1.200,50``.
        follower: the letters behind it, attached or as the next word.
        is_unit: whether they are attached: ``20k``, ``7pm``.
    """
    values = {_plain(one) for one in _decimals(_SPACED.sub("", written)[:_LONGEST])}
    if follower in lexicon.FACTORS and (is_unit or len(follower) > 2):
        return frozenset(_times(value, lexicon.FACTORS[follower]) for value in values)
    if follower == "pm" and values <= {str(hour) for hour in range(1, 12)}:
        values |= {str(int(value) + 12) for value in values}
    return frozenset(values)


def of_clock(written: str) -> frozenset[str]:
    """Return what a time of the day may be: as written, on either half of the clock."""
    hour, minute, *_ = map(int, written.split(":"))
    hours = {hour, (hour + 12) % 24}
    whole = {str(one) for one in hours} if minute == 0 else set()
    return frozenset({f"{one}:{minute:02}" for one in hours} | whole)


def of_words(word: str, follower: str) -> tuple[str, bool]:
    """Return the value of a number in words, and whether the next word belongs to it."""
    value = lexicon.CARDINALS.get(word, lexicon.COUNTS.get(word, 0))
    if follower in lexicon.FACTORS and len(follower) > 2:
        return _plain(Decimal(value * lexicon.FACTORS[follower])), True
    unit = lexicon.CARDINALS.get(follower, 0)
    if value >= 20 and 1 <= unit <= 9:
        return str(value + unit), True
    return str(value), False


def of_other_words(words: list[str]) -> tuple[str, int]:
    """Return the value of a number in another language, and how many of the words say it.

    Args:
        words: folded; the first is one of :data:`languages.NUMBERS`.
    """
    value, count = languages.value_of(words) or (0, 1)
    factor = languages.FACTORS.get(words[count]) if count < len(words) else None
    return (str(value), count) if factor is None else (str(value * factor), count + 1)


def _decimals(digits: str) -> set[Decimal]:
    """Return a number's readings: a lone mark may divide thousands or a fraction."""
    marks = {sign for sign in digits if sign in ".,"}
    found = set()
    if _GROUPED.fullmatch(digits) and len(marks) == 1:
        found.add(re.sub(r"[.,]", "", digits))
    if len(marks) == 2:
        last = max(digits.rfind("."), digits.rfind(","))
        found.add(re.sub(r"[.,]", "", digits[:last]) + "." + digits[last + 1 :])
    elif sum(map(digits.count, ".,")) <= 1:
        found.add(digits.replace(",", "."))
    return {Decimal(one) for one in found}


def _times(value: str, factor: int) -> str:
    return _plain(Decimal(value) * factor)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text.lstrip("0") or "0"
