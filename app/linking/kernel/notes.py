"""A note made without a language model: keywords, tags and context of a memory. Pure.

Source: A-MEM, arXiv:2502.12110, section 3.1 (note construction). A note is
m = {content c, time t, keywords K, tags G, context X, embedding e, links L}, with
e = enc(concat(c, K, G, X)).
Deviation: the paper asks a language model for K, G and X; without one they are chosen here. Its
code leaves the content out of e until the hundredth evolution; here e is always that of the text.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_KEYWORDS = 6
MOST_TAGS = 5
MOST_LABELS = 3
LEAST_LABEL_COSINE = 0.2
CONTEXT_CHARACTERS = 300
CONTENT_CHARACTERS = 600
"""Of a long content only the beginning goes into the note's text: embedders read a window, and
keywords, tags and context must be inside it."""
READ_CHARACTERS = 8_000
"""Of a very long content this much is read for keywords and context."""
_INFORMATIVE_WORDS = 3

LABELS: Mapping[str, str] = {
    "family": "family, parents, children, siblings, relatives",
    "friends": "friends, friendship, meeting people",
    "relationships": "love, dating, marriage, partner",
    "health": "health, illness, doctor, medicine, sleep, therapy",
    "sport": "sport, exercise, running, training, match",
    "food": "food, cooking, recipes, restaurants, meals, drinks",
    "travel": "travel, trips, holidays, flights, hotels, cities",
    "home": "home, house, furniture, moving, garden, repairs",
    "pets": "pets, dogs, cats, animals",
    "nature": "nature, hiking, camping, forest, sea, weather",
    "work": "work, job, career, colleagues, boss, office",
    "education": "school, university, studying, exams, classes",
    "money": "money, budget, salary, bank, prices",
    "shopping": "shopping, buying, gifts, clothes",
    "technology": "technology, computers, software, programming, phones",
    "science": "science, research, experiments",
    "music": "music, concerts, songs, instruments, singing",
    "books": "books, reading, writing, stories, poetry",
    "film": "films, series, television, watching",
    "art": "art, painting, drawing, photography, crafts",
    "games": "games, video games, board games, playing",
    "feelings": "feelings, mood, stress, happiness, fear",
    "plans": "plans, goals, appointments, tasks, next week",
    "celebrations": "birthday, party, wedding, anniversary, holidays",
    "community": "community, volunteering, charity, support group, activism",
    "beliefs": "religion, faith, values, politics, opinions",
    "vehicles": "car, bicycle, driving, traffic, train",
    "preferences": "likes, dislikes, favourites, preferences",
}
"""Broad tags, and the words whose vector stands for each."""

_DATE_WORDS = frozenset({
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday",
    "saturday", "sunday", "today", "tomorrow", "yesterday", "tonight", "morning", "evening",
    "afternoon", "week", "weekend", "month", "year", "day",
})  # fmt: skip
_NUMBER = re.compile(r"[\d.,:'/-]*\d[\d.,:'/-]*(?:st|nd|rd|th|am|pm|h)?", re.IGNORECASE)


class Term(NamedTuple):
    """A word of a text as it stands first, its stem, and how often it occurs."""

    word: str
    stem: str
    tf: int
    df: int
    """Keys of the owner that hold the stem."""


class Note(NamedTuple):
    """What a note says of a memory, besides its content."""

    keywords: tuple[str, ...]
    tags: tuple[str, ...]
    context: str


def is_date_word(word: str) -> bool:
    """Say whether a word is a number or tells a date or a time of day."""
    return word.lower() in _DATE_WORDS or _NUMBER.fullmatch(word) is not None


def counted(words: Sequence[tuple[str, str]], frequencies: Mapping[str, int]) -> list[Term]:
    """Return the distinct terms of a text in order of their first occurrence.

    Args:
        words: pairs of a word as it stands and its stem.
        frequencies: by stem, how many of the owner's keys hold it; a stem not there counts 1.
    """
    first: dict[str, str] = {}
    times: dict[str, int] = {}
    for word, stem in words:
        first.setdefault(stem, word)
        times[stem] = times.get(stem, 0) + 1
    return [Term(first[stem], stem, tf, frequencies.get(stem, 1)) for stem, tf in times.items()]


def keywords(terms: Sequence[Term], names: frozenset[str], *, keys: int) -> tuple[str, ...]:
    """Return the terms that tell a text from the owner's others, most telling first.

    Weight: tf x ln(1 + n / df). Speakers' names, numbers, dates and single letters are left out.

    Args:
        terms: as of :func:`counted`.
        names: stems of the names of speakers.
        keys: n, the owner's keys, >= 1.
    """
    fit = [
        (-term.tf * math.log1p(max(keys, 1) / max(term.df, 1)), place, term.word.lower())
        for place, term in enumerate(terms)
        if term.stem not in names and len(term.word) > 1 and not is_date_word(term.word)
    ]
    return tuple(word for _, _, word in sorted(fit)[:MOST_KEYWORDS])


def context(sentences: Sequence[tuple[str, int]]) -> str:
    """Return the first informative sentence, cut to 300 characters; empty for no text.

    Args:
        sentences: each with its count of words that carry meaning. A sentence is informative with
            three of them and no question mark at its end; without such a one the fullest counts.
    """
    if not sentences:
        return ""
    for sentence, count in sentences:
        if count >= _INFORMATIVE_WORDS and not sentence.rstrip("\"')").endswith("?"):
            return _cut(sentence)
    return _cut(max(sentences, key=lambda one: one[1])[0])


def _cut(sentence: str) -> str:
    if len(sentence) <= CONTEXT_CHARACTERS:
        return sentence
    start = sentence[:CONTEXT_CHARACTERS]
    return (start.rpartition(" ")[0] or start) + "…"


def tags(
    vectors: NDArray[np.float32], labels: NDArray[np.float32], names: Sequence[str]
) -> list[tuple[str, ...]]:
    """Return for each text the labels near its vector, nearest first; perhaps none.

    Args:
        vectors: unit vectors of the texts. Shape [n, d].
        labels: unit vectors of the labels. Shape [l, d].
        names: the labels. Length l.
    """
    cosines = vectors @ labels.T
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :MOST_LABELS]
    return [
        tuple(names[i] for i in best if row[i] >= LEAST_LABEL_COSINE)
        for row, best in zip(cosines, order.tolist(), strict=True)
    ]


def text(content: str, note: Note) -> str:
    """Return what a note's vector is made of: concat(c, K, G, X)."""
    parts = (content[:CONTENT_CHARACTERS], ", ".join(note.keywords), ", ".join(note.tags))
    # A context that the content begins with would be said twice.
    ending = "" if content[:CONTENT_CHARACTERS].find(note.context) >= 0 else note.context
    return "\n".join(part for part in (*parts, ending) if part)


def digest(content: str, name: str | None) -> bytes:
    """Return what tells whether a note is still that of its memory. 16 bytes."""
    said = "\x1f".join((name or "", content))
    return hashlib.blake2b(said.encode(), digest_size=16).digest()
