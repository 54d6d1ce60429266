"""Which of two passages came first: where each stands, by words in line. Pure.

A passage is laid along the words of a memory: every word that both share votes for the place at
which the passage would begin, the more the rarer it is there. A passage may begin in one memory
and go on in the next. Places are compared by time, then by the order of writing within a session,
then by the offset within one memory.

Source: Sequence Order Recall Tasks, arXiv:2410.08133 (Book-SORT). Deviation: nothing is generated;
the answer is read off the stored positions, and says so where there are none.

Axes: words count from 0; offsets are characters of a memory's content.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

First = Literal["a", "b"]
By = Literal["time", "sequence", "offset"]

_WORD = re.compile(r"\w+")
_DRIFT = 2
"""Words by which votes for one place may differ: a word was left out or put in."""
_CLEAR = 0.05
"""Share of the words by which one place must win over another that counts as good."""
_LEAST_MATCH = 0.2
"""Below this share of its words a passage was not found."""


@dataclass(frozen=True, slots=True)
class Text:
    """A memory that may hold a passage."""

    ordinal: int
    """Counts an owner's memories in the order of writing."""
    content: str
    occurred_at: datetime
    session_id: str | None
    previous: int | None
    """The ordinal of the turn before in the same session."""


class Place(NamedTuple):
    """Where a passage begins."""

    text: Text
    start: int
    """Character of the content at which it begins."""
    stop: int
    """Character behind its last word in this memory."""
    match: float
    """Share of the passage's words that stand where they should, in [0, 1]."""


class Verdict(NamedTuple):
    """Which came first; ``None``: the memories do not tell."""

    first: First | None
    by: By | None
    confidence: float
    """In [.5, 1]; .5 is a guess."""


class _Laid(NamedTuple):
    """A passage laid along one memory."""

    votes: Mapping[int, float]
    """By the word at which it would begin; negative: it begins in the memory before."""
    spans: Sequence[tuple[int, int]]
    """Characters of each word of the memory."""
    stands: Mapping[str, Sequence[int]]
    """The places of each of the passage's words in the memory."""


def locate(passage: str, texts: Sequence[Text]) -> list[Place]:
    """Return where a passage may begin, best first; nothing where its words do not stand."""
    words = [match[0].lower() for match in _WORD.finditer(passage)]
    if not words:
        return []
    laid = {text.ordinal: _lay(words, text.content) for text in texts}
    following = {text.previous: text.ordinal for text in texts if text.previous is not None}
    found = []
    for text in texts:
        beyond = laid.get(following.get(text.ordinal, 0))
        place = _begin(text, laid[text.ordinal], beyond, words)
        if place is not None:
            found.append(place)
    return sorted(found, key=lambda place: (-place.match, place.text.ordinal))


def _lay(words: Sequence[str], content: str) -> _Laid:
    wanted = set(words)
    spans: list[tuple[int, int]] = []
    stands: dict[str, list[int]] = defaultdict(list)
    for number, match in enumerate(_WORD.finditer(content)):
        spans.append(match.span())
        if (word := match[0].lower()) in wanted:
            stands[word].append(number)
    votes: dict[int, float] = defaultdict(float)
    for number, word in enumerate(words):
        for place in stands.get(word, ()):
            votes[place - number] += 1 / len(stands[word])
    return _Laid(votes, spans, stands)


def _begin(text: Text, mine: _Laid, beyond: _Laid | None, words: Sequence[str]) -> Place | None:
    """Return where in a memory the passage begins; the rest may stand in the one ``beyond``."""
    number = len(mine.spans)
    votes = dict(mine.votes)
    for place, vote in (beyond.votes if beyond else {}).items():
        if place < 0 <= place + number:
            votes[place + number] = votes.get(place + number, 0.0) + vote
    inside = [place for place in votes if place < number]
    if not inside:
        return None
    best = max(inside, key=lambda place: (_near(votes, place), votes[place], -place))
    first = min(max(best, 0), number - 1)
    last = min(max(best + len(words) - 1, 0), number - 1)
    agreeing = sum(
        _stands(mine, word, best + place)
        or (beyond is not None and _stands(beyond, word, best + place - number))
        for place, word in enumerate(words)
    )
    return Place(text, mine.spans[first][0], mine.spans[last][1], agreeing / len(words))


def _stands(laid: _Laid, word: str, place: int) -> bool:
    return any(abs(stand - place) <= _DRIFT for stand in laid.stands.get(word, ()))


def _near(votes: Mapping[int, float], place: int) -> float:
    return sum(votes.get(place + drift, 0.0) for drift in range(-_DRIFT, _DRIFT + 1))


def compare(a: Sequence[Place], b: Sequence[Place]) -> Verdict:
    """Return which of two located passages came first, by their best places.

    The confidence is lower the fewer words agree, and is halved again where another place that is
    as good would turn the answer round.
    """
    if not a or not b or min(a[0].match, b[0].match) < _LEAST_MATCH:
        return Verdict(None, None, 0.5)
    first, by = _earlier(a[0], b[0])
    if first is None:
        return Verdict(None, None, 0.5)
    turns = any(
        _earlier(one, other)[0] not in {first, None} for one in _as_good(a) for other in _as_good(b)
    )
    share = min(a[0].match, b[0].match) * (0.5 if turns else 1.0)
    return Verdict(first, by, 0.5 + 0.5 * share)


def _as_good(places: Sequence[Place]) -> list[Place]:
    return [place for place in places if place.match >= places[0].match - _CLEAR]


def _earlier(a: Place, b: Place) -> tuple[First | None, By | None]:
    one, other = a.text, b.text
    if one.ordinal == other.ordinal:
        return _by(a.start, b.start, "offset")
    if one.occurred_at != other.occurred_at:
        return ("a" if one.occurred_at < other.occurred_at else "b"), "time"
    if one.session_id is not None and one.session_id == other.session_id:
        return _by(one.ordinal, other.ordinal, "sequence")
    return None, None


def _by(a: int, b: int, by: By) -> tuple[First | None, By | None]:
    if a == b:
        return None, None
    return ("a" if a < b else "b"), by
