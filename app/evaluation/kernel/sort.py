"""Excerpts of books and pairs of segments whose order is asked for. Pure.

Source: Sequence Order Recall Tasks, arXiv:2410.08133 (Book-SORT). Deviation: the excerpts are drawn
by our own generator, so they are not the published ones; a segment may end within a sentence, as
theirs do.

Words are separated by white space; positions count words of a book.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

EXCERPTS = (250, 1_000, 2_500, 10_000, 20_000)
"""Words of an excerpt, L_E."""
SEGMENTS = (20, 50)
"""Words of a segment, L_S."""
CHUNK = 50
"""Words of one memory."""

_SENTENCE_END = re.compile(r"[.?!;][\"'\u201d\u2019)\]]*$")
_TITLE = re.compile(r"^(?:Mr|Mrs|Ms|Dr|St)\.$")
_START = re.compile(r"^\*\*\* ?START OF [^\n]*\n", re.MULTILINE)
_END = re.compile(r"^\*\*\* ?END OF [^\n]*$", re.MULTILINE)
_HEADING = re.compile(r"^(?:chapter|book|part)\b[^\n]{0,60}$|^[IVXLC]+\.?$", re.IGNORECASE)


class Pair(NamedTuple):
    """Two segments of an excerpt; ``a`` came first if ``a_first``."""

    a: str
    b: str
    a_first: bool
    bin: int
    """From 0: which range of distances the starts lie in."""
    distance: int
    """Words between the starts."""


class Excerpt(NamedTuple):
    """A stretch of a book."""

    book: str
    words: Sequence[str]


def body(text: str) -> list[str]:
    """Return the words of a book without what publishers put around it, and without headings."""
    start, end = _START.search(text), _END.search(text)
    inner = text[start.end() if start else 0 : end.start() if end else len(text)]
    lines = (line.strip() for line in inner.splitlines())
    return " ".join(line for line in lines if not _HEADING.match(line)).split()


def sentence_starts(words: Sequence[str]) -> list[int]:
    """Return at which words sentences begin."""
    return [0] + [
        place
        for place in range(1, len(words))
        if _SENTENCE_END.search(words[place - 1]) and not _TITLE.match(words[place - 1])
    ]


def bins(excerpt: int, segment: int) -> list[tuple[float, float]]:
    """Return the ranges of distances between starts, in words: [from, to)."""
    second = 1_000 if excerpt >= 10_000 else excerpt / 4
    third = excerpt / 4 if excerpt >= 10_000 else excerpt / 3
    edges = [segment, second, third, excerpt / 2, excerpt / 1.25]
    return list(pairwise(edges))


def excerpt_of(
    book: str, words: Sequence[str], length: int, generator: np.random.Generator
) -> Excerpt | None:
    """Return a stretch that begins with a sentence; ``None`` if the book is too short."""
    starts = [place for place in sentence_starts(words) if place + length <= len(words)]
    if not starts:
        return None
    start = starts[int(generator.integers(len(starts)))]
    return Excerpt(book, words[start : start + length])


def pairs(
    excerpt: Excerpt, segment: int, per_bin: int, generator: np.random.Generator
) -> Iterator[Pair]:
    """Yield pairs of segments for each bin; which of them is ``a`` is balanced."""
    words = excerpt.words
    length = len(words)
    starts = [one for one in sentence_starts(words) if one + segment <= length]
    for number, (least, most) in enumerate(bins(length, segment)):
        possible = [
            (one, other) for one in starts for other in starts if least <= other - one < most
        ]
        if not possible:
            continue
        for turn in range(per_bin):
            one, other = possible[int(generator.integers(len(possible)))]
            texts = [" ".join(words[start : start + segment]) for start in (one, other)]
            a_first = turn % 2 == 0
            a, b = texts if a_first else reversed(texts)
            yield Pair(a, b, a_first, number, other - one)


def chunks(excerpt: Excerpt) -> list[str]:
    """Return an excerpt as memories of a few words each, in order."""
    return [
        " ".join(excerpt.words[start : start + CHUNK])
        for start in range(0, len(excerpt.words), CHUNK)
    ]
