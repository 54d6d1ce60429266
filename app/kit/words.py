"""Sentences, words and stems of a text in any language. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

_WORD = re.compile(r"[^\W_]+(?:['\u2019\-][^\W_]+)*")
# A sentence ends at a mark (closing quotes and brackets included) before white space or the end,
# at a full-width mark, or at a line break; not behind a single capital or a usual abbreviation.
_END = re.compile(r"(?:[.!?\u2026]+[\"'\u201d\u2019\u00bb)\]]*(?=\s|$)|[\u3002\uff01\uff1f]+|\n+)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|approx|No)\.$"
)
_ALGORITHMS = frozenset(snowballstemmer.algorithms())


class Word(NamedTuple):
    """A word as it stands, and where."""

    text: str
    start: int
    stop: int


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, without white space around them; none of white space."""
    found, start = [], 0
    for end in _END.finditer(text):
        piece = text[start : end.end()].strip()
        if not piece or _ABBREVIATION.search(piece):
            continue
        found.append(piece)
        start = end.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def words(text: str) -> list[Word]:
    """Return the words of a text in order."""
    return [Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]


@lru_cache(maxsize=50_000)  # the stemmer is plain Python, and people repeat themselves
def stem(word: str, algorithm: str) -> str:
    """Return a word's Snowball stem, lower-case; ``algorithm`` is a language's English name.

    Without such an algorithm (``simple``) the word is only made lower-case.
    """
    lowered = word.lower()
    return _stemmer(algorithm).stemWord(lowered) if algorithm in _ALGORITHMS else lowered


@lru_cache(maxsize=32)
def _stemmer(algorithm: str) -> "snowballstemmer.SnowballStemmer":
    return snowballstemmer.stemmer(algorithm)


def content_words(text: str, lexemes: frozenset[str] | set[str], algorithm: str) -> list[Word]:
    """Return the words whose stem is among ``lexemes``: those that the keyword index kept.

    The index leaves out the stop words of the owner's language, so no list of them is needed here.
    """
    return [word for word in words(text) if stem(word.text, algorithm) in lexemes]
