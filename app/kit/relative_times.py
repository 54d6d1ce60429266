"""Times that are told from the day on which they are said: *last Friday*, *two weeks ago*. Pure.

Source: LongMemEval, arXiv:2410.10813, time-aware indexing and query expansion. Deviation: rules
read the times, not a language model, so what only common knowledge dates is not read.

Weeks begin on Monday; seasons are those of the northern half of the earth.
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple

Unit = Literal["day", "week", "month", "year"]
Which = Literal["last", "this", "next"]

_WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_FROM_ONE = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_NUMBERS: Mapping[str, tuple[int, int]] = {
    **{word: (number, number) for number, word in enumerate(_FROM_ONE, 1)},
    "a": (1, 1),
    "an": (1, 1),
    "a couple of": (2, 2),
    "couple of": (2, 2),
    "a few": (2, 5),
    "few": (2, 5),
    "several": (3, 7),
}
"""The least and the most that a word stands for."""
_SLACK: Mapping[Unit, int] = {"day": 0, "week": 3, "month": 15, "year": 183}
"""Days by which a number of units ago may be out: nobody counts the days of *three weeks ago*."""
_MOST = 999
_WEEK = 7
_LEAST_LETTERS = 4
_CANONICAL = re.compile(r"(?:(\d+) (\w+) ago|in (\d+) (\w+)|(last|this|next) (\w+))$")
_TEMPLATE = re.compile(r"(?:(in )?\\1 (\w+)(?: ago)?)$")
_DIGITS = re.compile(r"\(\\d[^)]*\)")

_WORD = re.compile(r"\w+")
_UNITS = r"(?P<unit>day|week|weekend|month|year)s?"
_NAMES = "|".join([*_WEEKDAYS, *_SEASONS, *_MONTHS, "weekend"])


class Days(NamedTuple):
    """The days from ``since`` to ``until``, both included."""

    since: date
    until: date

    @property
    def length(self) -> int:
        """How many they are."""
        return (self.until - self.since).days + 1


class Mention(NamedTuple):
    """Days that characters ``start`` to ``stop`` of a text tell of."""

    start: int
    stop: int
    days: Days


_Reading = Callable[[re.Match[str], date], Days | None]


class _Rule(NamedTuple):
    """A pattern, what it means, and words without one of which it cannot be found."""

    words: frozenset[str]
    pattern: re.Pattern[str]
    read: _Reading

    @classmethod
    def of(cls, words: str, pattern: str, read: _Reading) -> "_Rule":
        whole = r"(?<![\w-])(?:" + pattern + r")(?![\w-])"
        found = frozenset(_WORD.findall(words.lower()))
        return cls(found, re.compile(whole, re.IGNORECASE), read)


class Reader:
    """Reads the times of texts in English and in one more language.

    What it knows of a language are tables as ``dateparser`` has them: ``relative-type`` (phrases
    by what they mean, such as ``1 week ago``), ``relative-type-regex`` and ``simplifications``.
    """

    def __init__(self, *tables: Mapping[str, Any]) -> None:
        numbers = dict(_NUMBERS)
        for table in tables:
            numbers |= _number_words(table)
        self._numbers = numbers
        number = _alternatives(numbers) + r"|\d{1,3}"
        self._rules = [
            _Rule.of("ago", rf"(?P<n>{number})\s+{_UNITS}\s+ago", self._ago),
            _Rule.of(
                "last past previous",
                rf"(?:last|past|previous)\s+(?:(?P<n>{number})\s+)?{_UNITS}",
                self._rolling,
            ),
            *_ENGLISH,
        ]
        self._anchored = re.compile(
            rf"\b(?:(?P<n>{number})\s+)?(?P<name>day|week|weekend|month|year|{'|'.join(_WEEKDAYS)})s?"
            r"\s+(?:right\s+|just\s+)?(?P<side>before|prior to|after|following|of)"
            r"(?:\s+the)?\s+$",
            re.IGNORECASE,
        )
        self._phrases: dict[str, str] = {}
        for table in tables:
            self._phrases |= _phrases(table)
            self._rules += self._numbered_forms(table, number)
        if self._phrases:
            words = " ".join(max(phrase.split(), key=len) for phrase in self._phrases)
            self._rules.append(_Rule.of(words, _alternatives(self._phrases), self._phrase))

    def mentions(self, text: str, today: date) -> list[Mention]:
        """Return the days that a text tells of relative to ``today``, in order, none twice."""
        found: list[Mention] = []
        for mention in sorted(self._all(text, today), key=lambda one: (one.start, -one.stop)):
            if not found or mention.start >= found[-1].stop:
                found.append(mention)
        return found

    def anchored(self, before: str, anchor: Days) -> Days | None:
        """Return the days that words such as *the week before* mean in front of ``anchor``."""
        match = self._anchored.search(before)
        if match is None:
            return None
        try:
            return self._beside(match, anchor)
        except (OverflowError, ValueError):  # beyond the calendar
            return None

    def _beside(self, match: re.Match[str], anchor: Days) -> Days | None:
        name, side = match["name"].lower(), match["side"].lower()
        if side == "of":
            is_in_it = name in {"week", "month"} and anchor.length <= _WEEK
            return _whole(anchor.since, _unit(name), 0) if is_in_it else None
        sign = -1 if side in {"before", "prior to"} else 1
        day = anchor.since if sign < 0 else anchor.until
        if name in _WEEKDAYS or name == "weekend":
            return _named_day(day, "last" if sign < 0 else "next", name)
        if match["n"] is not None:
            least, most = self._count(match["n"])
            return _around(day, _unit(name), sign * least, sign * most)
        ends = sorted((day + timedelta(days=sign), _shifted(day, _unit(name), sign)))
        return Days(*ends)

    def _all(self, text: str, today: date) -> Iterator[Mention]:
        said = set(_WORD.findall(text.lower()))
        for rule in self._rules:
            if rule.words.isdisjoint(said):  # to look for the words takes a tenth of the time
                continue
            for match in rule.pattern.finditer(text):
                try:
                    span = rule.read(match, today)
                except (OverflowError, ValueError):  # beyond the calendar
                    continue
                if span is not None:
                    yield Mention(*match.span(), span)

    def _count(self, said: str) -> tuple[int, int]:
        """Return the least and the most that a number stands for."""
        word = " ".join(said.lower().split())
        known = self._numbers.get(word)
        return known or (int(word), int(word))

    def _ago(self, match: re.Match[str], today: date) -> Days | None:
        least, most = self._count(match["n"])
        if match["unit"].lower() == "weekend":
            near, far = (_weekend(today, "last", back=back - 1) for back in (least, most))
            return Days(far.since, near.until)
        return _around(today, _unit(match["unit"]), -least, -most)

    def _rolling(self, match: re.Match[str], today: date) -> Days | None:
        unit = match["unit"].lower()
        if unit == "weekend":
            return None
        if match["n"] is None:
            is_last = match[0].lower().startswith("last")
            return _whole(today, _unit(unit), -1) if is_last else _since(today, _unit(unit), 1)
        return _since(today, _unit(unit), self._count(match["n"])[1])

    def _phrase(self, match: re.Match[str], today: date) -> Days | None:
        meaning = _CANONICAL.match(self._phrases[" ".join(match[0].lower().split())])
        if meaning is None:
            return None
        ago, unit, ahead, later, which, weekday = meaning.groups()
        if which is not None:
            return _named_day(today, which, weekday)
        return _whole(today, _unit(unit or later), -int(ago) if ago else int(ahead))

    def _numbered_forms(self, table: Mapping[str, Any], number: str) -> Iterator["_Rule"]:
        """Yield the rules of phrases with a number in them, such as *vor drei Tagen*."""
        for meaning, forms in table.get("relative-type-regex", {}).items():
            known = _TEMPLATE.match(meaning)
            kept = [form for form in forms if _is_long(form)]
            if known is None or known[2] not in _SLACK or not kept:
                continue
            words = " ".join(word for form in kept for word in _DIGITS.sub("", form).split()[-1:])
            if words.split()[-1] != "ago":  # a rule of its own, which reads weekends as well
                pattern = "|".join(_numbered(form, number) for form in kept)
                yield _Rule.of(words, pattern, self._counted(_unit(known[2]), bool(known[1])))

    def _counted(self, unit: Unit, is_ahead: bool) -> _Reading:
        sign = 1 if is_ahead else -1

        def read(match: re.Match[str], today: date) -> Days:
            least, most = self._count(next(filter(None, match.groups())))
            return _around(today, unit, sign * least, sign * most)

        return read


def _alternatives(words: Mapping[str, object]) -> str:
    """Return words as a pattern, the longest first; white space matches any."""
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(r"\s+".join(re.escape(part) for part in word.split()) for word in ordered)


def _numbered(form: str, number: str) -> str:
    """Return a library's pattern with a number in digits or words where it has digits."""
    return _DIGITS.sub(lambda _: f"({number})", form, count=1)


def _is_long(form: str) -> bool:
    """Leave out abbreviations such as *3m ago*, which mean other things too."""
    return len(_DIGITS.sub("", form).split()[-1]) >= _LEAST_LETTERS - 1


def _number_words(table: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    words: dict[str, tuple[int, int]] = {}
    for one in table.get("simplifications", ()):
        for word, value in one.items():
            if word.isalpha() and value.isdigit():
                words[word] = (int(value), int(value))
    return words


def _phrases(table: Mapping[str, Any]) -> dict[str, str]:
    """Return phrases by what they mean; *morgen* and *mañana* are mornings too."""
    found = {}
    for meaning, forms in table.get("relative-type", {}).items():
        canonical = _CANONICAL.match(meaning)
        unit = canonical and (canonical[2] or canonical[4])
        if canonical is None or (unit is not None and unit not in _SLACK):
            continue
        for form in forms:
            is_vague = canonical[3] is not None and " " not in form and form != "tomorrow"
            if len(form) >= _LEAST_LETTERS and not is_vague and form != "till date":
                found[form.lower()] = meaning
    return found


def _unit(word: str) -> Unit:
    units: dict[str, Unit] = {"day": "day", "week": "week", "month": "month", "year": "year"}
    return units[word.lower()]


def _shifted(day: date, unit: Unit, count: int) -> date:
    """Return the day so many units later; of a shorter month the last."""
    if abs(count) > _MOST:
        raise OverflowError
    if unit in {"day", "week"}:
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _from(day: date, first: int, last: int) -> Days:
    return Days(day + timedelta(days=first), day + timedelta(days=last))


def _today(_match: re.Match[str], today: date) -> Days:
    return Days(today, today)


def _around(today: date, unit: Unit, near: int, far: int) -> Days:
    """Return the days about so many units away."""
    ends = sorted((_shifted(today, unit, near), _shifted(today, unit, far)))
    slack = timedelta(days=_SLACK[unit])
    return Days(ends[0] - slack, ends[1] + slack)


def _since(today: date, unit: Unit, count: int) -> Days:
    return Days(_shifted(today, unit, -count), today)


def _whole(today: date, unit: Unit, count: int) -> Days:
    """Return the whole day, week, month or year so many away."""
    day = _shifted(today, unit, count)
    if unit == "day":
        return Days(day, day)
    if unit == "week":
        return _from(day - timedelta(days=day.weekday()), 0, 6)
    if unit == "month":
        return month_span(day.year, day.month)
    return Days(date(day.year, 1, 1), date(day.year, 12, 31))


def month_span(year: int, month: int) -> Days:
    """Return the days of a month."""
    return Days(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def _named(match: re.Match[str], today: date) -> Days | None:
    which: dict[str, Which] = {"past": "last", "coming": "next"}
    said = match["which"].lower()
    return _named_day(today, which.get(said, said), match["name"].lower())


def _named_day(today: date, which: str, name: str) -> Days | None:
    """Return the last, this or next weekday, weekend, season or month."""
    if name in _WEEKDAYS:
        days = (_WEEKDAYS[name] - today.weekday()) % 7
        first = {"last": days - 7, "this": _WEEKDAYS[name] - today.weekday(), "next": days or 7}
        return _from(today, first[which], first[which])
    if name == "weekend":
        return _weekend(today, which)
    if name in _SEASONS:
        return _nearest(today, which, lambda year: _season_of(name, year))
    if name in _MONTHS:
        return _nearest(today, which, lambda year: month_span(year, _MONTHS[name]))
    return None


def _nearest(today: date, which: str, of_year: Callable[[int], Days]) -> Days:
    """Return the last one that is over, the one of this year, or the first to come."""
    if which == "this":
        return of_year(today.year)
    years = range(today.year - 2, today.year + 3)
    if which == "last":
        return next(span for year in reversed(years) if (span := of_year(year)).until < today)
    return next(span for year in years if (span := of_year(year)).since > today)


def _season(match: re.Match[str], _today: date) -> Days:
    return _season_of(match["name"].lower(), int(match["year"]))


def _season_of(name: str, year: int) -> Days:
    """Return a season's three months; a winter is that of the year in which it begins."""
    start = date(year, _SEASONS[name], 1)
    return Days(start, _shifted(start, "month", 3) - timedelta(days=1))


def _weekend(today: date, which: str, *, back: int = 0) -> Days:
    """Return a Saturday and Sunday: of this week, of the week before or after."""
    saturday = today - timedelta(days=today.weekday()) + timedelta(days=5)
    weeks = {"last": -1 - back, "this": 0, "next": 1}[which]
    return _from(saturday + timedelta(days=7 * weeks), 0, 1)


_ENGLISH = (
    _Rule.of(
        "last past this next coming",
        rf"(?P<which>last|past|this|next|coming)\s+(?P<name>{_NAMES})",
        _named,
    ),
    _Rule.of(
        " ".join(_SEASONS),
        rf"(?P<name>{'|'.join(_SEASONS)})(?:\s+of)?\s+(?P<year>\d{{4}})",
        _season,
    ),
    _Rule.of("other", r"the\s+other\s+day", lambda _, day: _from(day, -7, -1)),
    _Rule.of("night", r"last\s+night", lambda _, day: _from(day, -1, 0)),
    _Rule.of(
        "tonight morning afternoon evening", r"tonight|this\s+(?:morning|afternoon|evening)", _today
    ),
)
