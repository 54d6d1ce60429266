"""What a text claims: names, numbers and dates; and whether its sources hold them.

The idea is the critique of Democratizing LLMs (arXiv:2310.07611), which refines a text by what is
wrong with it. There the same model criticises itself; here a check by words decides, which nothing
that stands in the texts can talk round.
"""

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from app.llm.kernel import languages, lexicon, numbers

Stem = Callable[[str], str]

_TOKEN = re.compile(
    r"(?P<iso>\d{4}-\d{2}-\d{2}(?!\d))"
    r"|(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)"
    r"|(?P<slashed>\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}\.\d{1,2}\.\d{4})"
    r"|(?P<number>\d+(?:[.,'\u2019\u00a0\u202f ]\d{3}(?!\d))*(?:[.,]\d+)?)(?P<unit>[^\W\d_]*)"
    r"|(?P<word>[^\W\d_][^\W_]*(?:['\u2019][^\W\d_]+)*)"
)
_ELISION = re.compile(
    r"^(?:[cdjlmnst]|qu|lorsqu|puisqu|jusqu|dell|all|nell|sull|dall|un|quest)['\u2019](?=.)",
    re.IGNORECASE,
)
_CLITIC = re.compile(r"(?:['\u2019](?:s|m|ve|d|ll|re)|n['\u2019]t|(?<=s)['\u2019])$")
_OPENING = re.compile(r"(?:^|[.!?:;\u2026]|^\s*[-*\u2022]|[\"\u201c\u201e\u00ab(\[])\s*$")
_DAYS = range(1, 32)
_YEARS = range(1000, 2200)
_ORDINAL_UNITS = frozenset({"st", "nd", "rd", "th", "er", "\u00ba", "\u00aa"})
_NO_MONTH_FIRST = frozenset({"may", "march", "mai", "mars", "mei", "marco", "sept"})
_NO_MONTH_SMALL = frozenset({"march", "august", *languages.NAMES})


class Date(NamedTuple):
    """A day, month or month of a year, as far as a text names it."""

    year: int | None
    month: int
    day: int | None

    def is_in(self, other: "Date") -> bool:
        """Say whether another date is this one, or this one more exactly."""
        pairs = ((self.year, other.year), (self.day, other.day))
        return self.month == other.month and all(mine in {None, its} for mine, its in pairs)


class Token(NamedTuple):
    """A word or number as it stands."""

    text: str
    kind: str
    unit: str
    opens: bool
    """Whether it begins a sentence, a quotation or an item of a list."""

    @property
    def word(self) -> str:
        """The word folded; empty for a number."""
        return fold(self.text) if self.kind == "word" else ""

    @property
    def is_capital(self) -> bool:
        """Whether it is a word with a capital first letter."""
        return self.kind == "word" and _ELISION.sub("", self.text)[0].isupper()

    def whole(self, within: range) -> int | None:
        """Return it as a plain whole number within a range."""
        is_plain = self.kind == "number" and self.text.isdigit()
        is_fit = is_plain and (not self.unit or self.unit.lower() in _ORDINAL_UNITS)
        return (
            int(self.text) if is_fit and len(self.text) <= 4 and int(self.text) in within else None
        )


@dataclass(frozen=True, slots=True)
class Claims:
    """What a text states, as far as it can be checked word by word."""

    names: dict[str, str] = field(default_factory=dict)
    """As written, by folded word."""
    openers: dict[str, str] = field(default_factory=dict)
    """Words with a capital that may stand so only because they open a sentence."""
    numbers: dict[str, frozenset[str]] = field(default_factory=dict)
    """Each number's possible readings, as written."""
    ordinals: dict[str, frozenset[str]] = field(default_factory=dict)
    """The same for ordinals, which may be days of a month."""
    dates: dict[str, Date] = field(default_factory=dict)
    months: dict[str, int] = field(default_factory=dict)
    """Months alone that may also be given names."""
    weekdays: dict[str, int] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    """Every word, folded."""


def fold(word: str) -> str:
    """Return a word without case, accents and clitics."""
    bare = _CLITIC.sub("", _ELISION.sub("", word))
    parts = unicodedata.normalize("NFKD", bare)
    return "".join(sign for sign in parts if not unicodedata.combining(sign)).casefold()


def tokens(text: str) -> list[Token]:
    """Return the words and numbers of a text in order."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        kind = "number" if kind == "unit" else kind
        before = text[max(0, match.start() - 8) : match.start()]
        opens = not text[: match.start()].strip() or bool(_OPENING.search(before)) or "\n" in before
        found.append(Token(match[kind], kind, match["unit"] or "", opens))
    return found


def claims(text: str) -> Claims:
    """Return what a text states."""
    found = Claims()
    held = tokens(text)
    used: set[int] = set()
    for place in range(len(held)):
        if place not in used:
            used |= _take_date(found, held, place)
    for place, token in enumerate(held):
        if place in used:
            continue
        if token.kind == "word":
            used |= _take_word(found, held, place)
        elif token.kind == "clock":
            found.numbers[token.text] = numbers.of_clock(token.text)
        elif token.kind == "number":
            _take_number(found, held, place)
    found.words.update(token.word for token in held if token.word)
    return found


def _take_date(found: Claims, held: Sequence[Token], place: int) -> set[int]:
    """Note the date that stands at a place; return the places it takes."""
    token = held[place]
    if token.kind == "iso":
        year, month, day = map(int, token.text.split("-"))
        found.dates[token.text] = Date(year, month, day)
        return {place}
    if token.kind == "slashed":
        # Day first or month first: nobody can tell, so the text is held to the digits.
        for part in re.split(r"[/.]", token.text):
            found.ordinals[part] = frozenset({str(int(part))})
        return {place}
    month = lexicon.MONTHS.get(token.word, 0)
    return _take_month(found, held, place, month) if month else set()


def _take_month(found: Claims, held: Sequence[Token], place: int, month: int) -> set[int]:
    """Note a month with the day and year beside it."""
    token = held[place]
    places = {place}
    day = year = None
    before = place - 1
    if before > 0 and held[before].word in languages.OF:
        before -= 1
    if before >= 0 and (day := held[before].whole(_DAYS)) is not None:
        places |= set(range(before, place))
    after = place + 1
    if day is None and after < len(held) and (day := held[after].whole(_DAYS)) is not None:
        places.add(after)
        after += 1
    if after + 1 < len(held) and held[after].word in languages.OF:
        after += 1
    if after < len(held) and (year := held[after].whole(_YEARS)) is not None:
        places |= set(range(place + 1, after + 1))
    if day is None and year is None and not _is_month_alone(token):
        return set()
    written = " ".join(held[one].text + held[one].unit for one in sorted(places))
    if day is None and year is None and token.word in lexicon.GIVEN_NAMES:
        found.months[written] = month
    else:
        found.dates[written] = Date(year, month, day)
    return places


def _is_month_alone(token: Token) -> bool:
    """Say whether a month's name without day and year means the month: `may` and `mar` do not."""
    if token.is_capital:
        return not (token.opens and token.word in _NO_MONTH_FIRST)
    return len(token.word) > 4 and token.word not in _NO_MONTH_SMALL


def _take_word(found: Claims, held: Sequence[Token], place: int) -> set[int]:
    """Note what a word states; return the places it takes."""
    token = held[place]
    folded = token.word
    if folded in lexicon.CARDINALS or folded in lexicon.COUNTS or folded in lexicon.ORDINALS:
        return _take_number_word(found, held, place)
    if folded in languages.NUMBERS and (token.opens or not token.is_capital):
        return _take_foreign(found, held, place)
    if folded in lexicon.WEEKDAYS:
        found.weekdays[token.text] = lexicon.WEEKDAYS[folded]
    elif any(sign.isdigit() for sign in folded):
        found.names[folded] = token.text
    elif token.is_capital and folded not in lexicon.NOT_NAMES:
        (found.openers if token.opens else found.names)[folded] = token.text
    return {place}


def _take_number(found: Claims, held: Sequence[Token], place: int) -> None:
    token = held[place]
    follower = token.unit or (held[place + 1].word if place + 1 < len(held) else "")
    target = found.ordinals if token.unit.lower() in _ORDINAL_UNITS else found.numbers
    target[token.text] = numbers.readings(token.text, follower.lower(), is_unit=bool(token.unit))


def _take_number_word(found: Claims, held: Sequence[Token], place: int) -> set[int]:
    token = held[place]
    if token.word in lexicon.ORDINALS:
        found.ordinals[token.text] = frozenset({str(lexicon.ORDINALS[token.word])})
        return {place}
    follower = held[place + 1].word if place + 1 < len(held) else ""
    value, is_compound = numbers.of_words(token.word, follower)
    written = f"{token.text}-{held[place + 1].text}" if is_compound else token.text
    # "once" is eleven in Spanish.
    also = {str(languages.NUMBERS.get(token.word, value))} if not is_compound else set()
    found.numbers[written] = frozenset({value, *also})
    return {place, place + 1} if is_compound else {place}


def _take_foreign(found: Claims, held: Sequence[Token], place: int) -> set[int]:
    value, count = numbers.of_other_words([one.word for one in held[place : place + 6]])
    written = " ".join(one.text for one in held[place : place + count])
    found.numbers[written] = frozenset({value})
    return set(range(place, place + count))


_NOT_HELD = frozenset({*lexicon.VAGUE, *lexicon.COUNTS, *languages.DOUBTFUL})


class Support:
    """What the sources hold, ready to check claims against."""

    def __init__(self, sources: Iterable[str], stem: Stem, openers: Container[str] | None) -> None:
        """Read the sources.

        Args:
            sources: any texts.
            stem: a stemmer of their language.
            openers: folded words that may open a sentence with a capital without naming anybody;
                ``None``: every word may.
        """
        self._stem = stem
        self._openers = openers
        self._words: set[str] = set()
        self._numbers: set[str] = set()
        self._ordinals: set[str] = set()
        self._bare_days: set[str] = set()
        self._dates: set[Date] = set()
        self._weekdays: set[int] = set()
        for source in sources:
            self._read(claims(source))
        self._stems = {stem(word) for word in self._words}

    def _read(self, found: Claims) -> None:
        self._words |= found.words
        self._dates |= set(found.dates.values())
        self._dates |= {Date(None, month, None) for month in found.months.values()}
        self._numbers |= set().union(*found.numbers.values())
        self._bare_days |= set().union(*found.ordinals.values())
        self._weekdays |= set(found.weekdays.values())
        for one in found.dates.values():
            self._numbers |= {str(one.year)} if one.year else set()
            self._ordinals |= {str(one.day)} if one.day else set()
            self._weekdays |= _weekday(one)

    def missing(self, text: str) -> tuple[str, ...]:
        """Return the names, numbers and dates of a text that no source holds, as written."""
        return tuple(self._missing(claims(text)))

    def _missing(self, found: Claims) -> Iterator[str]:
        either = self._numbers | self._ordinals | self._bare_days
        yield from (written for word, written in found.names.items() if not self._has(word))
        yield from (
            written
            for word, written in found.openers.items()
            if not self._has(word) and not self._is_ordinary(word)
        )
        for written, readings in found.numbers.items():
            if (
                fold(written) not in _NOT_HELD
                and fold(written) not in self._words
                and not readings & self._numbers
            ):
                yield written
        for written, readings in found.ordinals.items():
            if fold(written) not in lexicon.VAGUE and not readings & either:
                yield written
        yield from (written for written, one in found.dates.items() if not self._has_date(one))
        for written, month in found.months.items():
            if not self._has(fold(written)) and not self._has_date(Date(None, month, None)):
                yield written
        yield from (written for written, day in found.weekdays.items() if day not in self._weekdays)

    def _is_ordinary(self, word: str) -> bool:
        """Say whether a word with a capital names nobody where it opens a sentence."""
        is_known = self._openers is None or word in self._openers
        return is_known or self._stem(word) in (self._openers or ()) or _has_ordinary_end(word)

    def _has(self, word: str) -> bool:
        return word in self._words or self._stem(word) in self._stems

    def _has_date(self, claimed: Date) -> bool:
        if any(claimed.is_in(held) for held in self._dates):
            return True
        # A source may say `the 26th` in a month that only its date names,
        if str(claimed.day) in self._bare_days and claimed.day is not None:
            return self._has_date(claimed._replace(day=None))
        # or name the day, and another source the year.
        is_year_known = claimed.year is not None and str(claimed.year) in self._numbers
        bare = claimed._replace(year=None)
        yearless = (held for held in self._dates if held.year is None)
        return is_year_known and any(bare.is_in(held) for held in yearless)


def _weekday(one: Date) -> set[int]:
    """Return the day of the week of a full date."""
    if one.year is None or one.day is None:
        return set()
    try:
        return {date(one.year, one.month, one.day).weekday()}
    except ValueError:
        return set()


_ORDINARY_END = re.compile(
    r"\w{3,}(?:ing|tion|sion|ment|ness|ously|fully|ally|ently|antly|edly|ible|able|ize[sd]?|ology|graphy"
    r"|(?:al|iv|il|os|or)ity|ies)$"
    r"|\w{4,}(?<![rm])ed$"  # Mildred, Mohammed
)


def _has_ordinary_end(word: str) -> bool:
    """Say whether an English word ends as names do not."""
    return bool(_ORDINARY_END.fullmatch(word))
