"""Hits and the sources of thoughts in one ranking. Pure.

Source: Think-in-Memory, arXiv 2311.08719, section 3.1: what was thought is recalled, not what was
said. Deviation: a thought leads back to the memories it stands on, so that the answer is verbatim.
"""

from collections.abc import Mapping, Sequence

THOUGHT_WEIGHT = 0.2
"""Of the sources of thoughts, where a hit's own score weighs 1."""


def fuse(hits: Mapping[int, float], sources: Sequence[int]) -> list[tuple[int, float]]:
    """Return ordinals with scores in [0, 1], best first; 1 is the best hit and the first source.

    A score is the weighted mean of what the recall gave, 0 for what it did not find, and of the
    reciprocal of the place among the sources.

    Args:
        hits: scores, in [0, 1], of what the default recall found, by ordinal.
        sources: ordinals of the memories that thoughts stand on, that of the nearest first.
    """
    places = {ordinal: place for place, ordinal in enumerate(dict.fromkeys(sources), 1)}
    scores = {
        ordinal: (hits.get(ordinal, 0.0) + _of_place(places.get(ordinal))) / (1 + THOUGHT_WEIGHT)
        for ordinal in hits.keys() | places.keys()
    }
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))


def _of_place(place: int | None) -> float:
    return THOUGHT_WEIGHT / place if place else 0.0
