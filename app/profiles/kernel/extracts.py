"""Extracts: the most central sentences of texts, their keywords, names and hours. Pure.

Source: MemoryBank, arXiv:2305.10250, its day and global summaries and user portrait.
Deviation: the paper has a language model write them. This form needs none: sentences near the
TF-IDF centroid, chosen by maximal marginal relevance; a portrait only counts, and claims nothing
about a person's character.

Axes: n sentences, v terms.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_SENTENCES = 600
MOST_TERMS = 1_500
TRADE_OFF = 0.5
"""Weight of relevance against novelty: a sentence said twice is not told twice."""
LEAST_TERMS = 3
_QUESTION_WEIGHT = 0.6
_LONGEST = 300
_CLOSING = "\"')\u201d\u2019 "
_OPENING = ".!?:\"'\u201c\u2018\u00ab(-\u2013\u2014"
_NAME = re.compile(r"[^\W\d_][^\W_]*(?:['\u2019-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a source, with the stems of its content words in order."""

    text: str
    source: int
    stems: tuple[str, ...]
    surfaces: tuple[str, ...]
    """The words as they stand, one for each stem."""
    weight: float = 1.0
    """In [0, 1]: how much the speaker's words count."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term with how often it stands in which sources."""

    text: str
    count: int
    sources: tuple[int, ...]


def central(sentences: Sequence[Sentence], count: int) -> list[int]:
    """Return the indexes of the ``count`` most central sentences, in their order; none is empty.

    Relevance is the cosine to the TF-IDF centroid; questions and sentences of few terms count
    less, so that a summary tells what was said rather than what was asked.
    """
    usable = [i for i, one in enumerate(sentences) if one.stems][-MOST_SENTENCES:]
    if not usable:
        return []
    rows = _tfidf([sentences[i].stems for i in usable])
    centroid = rows.mean(axis=0)
    length = float(np.linalg.norm(centroid)) or 1.0
    relevance = rows @ centroid / length * np.array([_informs(sentences[i]) for i in usable])
    chosen = _marginal(rows, relevance, min(count, len(usable)))
    return sorted(usable[i] for i in chosen)


def _informs(sentence: Sentence) -> float:
    weight = sentence.weight * min(1.0, len(set(sentence.stems)) / LEAST_TERMS)
    return weight * (_QUESTION_WEIGHT if sentence.text.rstrip(_CLOSING).endswith("?") else 1.0)


def _tfidf(documents: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return unit rows of TF-IDF over the most frequent terms. Shape [n, v]."""
    frequency = Counter(stem for stems in documents for stem in set(stems))
    terms = [stem for stem, _ in sorted(frequency.items(), key=lambda t: (-t[1], t[0]))]
    column = {stem: i for i, stem in enumerate(terms[:MOST_TERMS])}
    rows = np.zeros((len(documents), len(column)))
    for row, stems in zip(rows, documents, strict=True):
        for stem, tf in Counter(stems).items():
            if stem in column:
                idf = math.log((len(documents) + 1) / (frequency[stem] + 1)) + 1
                row[column[stem]] = (1 + math.log(tf)) * idf
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: NDArray[np.float64] = rows / np.where(lengths == 0, 1, lengths)
    return found


def _marginal(rows: NDArray[np.float64], relevance: NDArray[np.float64], count: int) -> list[int]:
    """Choose rows that are relevant and unlike those chosen before."""
    chosen: list[int] = []
    likest = np.zeros(len(rows))
    open_rows = np.ones(len(rows), bool)
    for _ in range(count):
        gain = np.where(open_rows, TRADE_OFF * relevance - (1 - TRADE_OFF) * likest, -np.inf)
        best = int(gain.argmax())
        chosen.append(best)
        open_rows[best] = False
        likest = np.maximum(likest, rows @ rows[best])
    return chosen


def shortened(text: str) -> str:
    """Return a sentence as one line of at most 300 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def counted(sentences: Iterable[Sentence]) -> dict[str, Term]:
    """Return every stem with its usual form, its count and its sources."""
    counts: Counter[str] = Counter()
    forms: dict[str, Counter[str]] = {}
    sources: dict[str, dict[int, None]] = {}
    for sentence in sentences:
        for stem, surface in zip(sentence.stems, sentence.surfaces, strict=True):
            counts[stem] += 1
            forms.setdefault(stem, Counter())[surface.lower()] += 1
            sources.setdefault(stem, {})[sentence.source] = None
    return {
        stem: Term(_usual(forms[stem]), count, tuple(sources[stem]))
        for stem, count in counts.items()
    }


def _usual(forms: Counter[str]) -> str:
    return min(forms, key=lambda form: (-forms[form], form))


def keywords(
    sentences: Sequence[Sentence], frequency: Mapping[str, int], held: int, *, most: int
) -> list[Term]:
    """Return the terms that tell these texts from the owner's others, by TF-IDF, best first.

    Args:
        sentences: of the day or the topic.
        frequency: in how many of all the owner's keys each stem stands.
        held: how many keys the owner has.
        most: terms, at most.
    """
    found = counted(sentence for sentence in sentences if sentence.weight == 1)
    scored = {
        stem: len(term.sources) * (math.log((held + 1) / (frequency.get(stem, 0) + 1)) + 1)
        for stem, term in found.items()
        if not term.text.isdigit()
    }
    order = sorted(scored, key=lambda stem: (-scored[stem], stem))
    return [found[stem] for stem in order[:most]]


def names(sentences: Iterable[Sentence], *, most: int) -> list[Term]:
    """Return what is written with a capital inside sentences, the most frequent first.

    A word that also stands in small letters is none.
    """
    small: set[str] = set()
    counts: Counter[str] = Counter()
    sources: dict[str, dict[int, None]] = {}
    for sentence in sentences:
        for i, match in enumerate(_NAME.finditer(sentence.text)):
            word = match[0]
            if word[0].islower():
                small.add(word)
            elif i and len(word) > 1 and not starts_sentence(sentence.text, match.start()):
                counts[word] += 1
                sources.setdefault(word, {})[sentence.source] = None
    found = [
        Term(word, count, tuple(sources[word]))
        for word, count in counts.items()
        if word.lower() not in small and not _is_contraction(word)
    ]
    return sorted(found, key=lambda term: (-term.count, term.text))[:most]


def starts_sentence(text: str, place: int) -> bool:
    """Say whether a new sentence or a quotation begins here."""
    before = text[:place].rstrip()
    return not before or before[-1] in _OPENING


def _is_contraction(word: str) -> bool:
    return word[0] == "I" and word[1:2] in {"'", "\u2019"}


def joined(terms: Iterable[Term], *, most: int, sources: int) -> list[Term]:
    """Add up terms of several texts; return the most frequent, with some of their sources."""
    counts: Counter[str] = Counter()
    where: dict[str, dict[int, None]] = {}
    for term in terms:
        counts[term.text] += term.count
        where.setdefault(term.text, {}).update(dict.fromkeys(term.sources))
    order = sorted(counts, key=lambda text: (-counts[text], text))[:most]
    return [Term(text, counts[text], tuple(where[text])[-sources:]) for text in order]


def class_terms(own: Mapping[str, Term], frequency: Mapping[str, int], *, most: int) -> list[Term]:
    """Return a topic's best terms by c-TF-IDF: sqrt(tf) ln(1 + A / f), best first.

    A is the topic's number of words. Deviation: f is in how many of all the owner's keys a term
    stands, so that topics need not know each other; the root keeps ordinary words down. Terms of
    several sources go before those of a single one.
    """
    words = sum(term.count for term in own.values())
    scored = {
        stem: math.sqrt(term.count) * math.log(1 + words / max(1, frequency.get(stem, 1)))
        for stem, term in own.items()
        if not term.text.isdigit() and len(term.text) > 1
    }
    order = sorted(scored, key=lambda s: (len(own[s].sources) < 2, -scored[s], s))
    return [own[stem] for stem in order[:most]]
