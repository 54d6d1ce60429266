"""Hits and the sources of thoughts in one ranking. Pure.

Source: Think-in-Memory, arXiv 2311.08719, section 3.1: what was thought is recalled, not what was
said. Deviation: a thought leads back to the memories it stands on, so that the answer is verbatim.
"""

from collections.abc import Sequence

RANK_CONSTANT = 60
THOUGHT_WEIGHT = 0.2
"""Of the sources of thoughts, where the hits weigh 1."""


def fuse(hits: Sequence[int], sources: Sequence[int]) -> list[tuple[int, float]]:
    """Return ordinals with scores in (0, 1], best first; 1 is the first of both rankings.

    Args:
        hits: ordinals that the default recall found, best first.
        sources: ordinals of the memories that thoughts stand on, that of the nearest first.
    """
    best = (1 + THOUGHT_WEIGHT) / (RANK_CONSTANT + 1)
    scores: dict[int, float] = {}
    for weight, ranking in ((1.0, hits), (THOUGHT_WEIGHT, sources)):
        for rank, ordinal in enumerate(dict.fromkeys(ranking), 1):
            scores[ordinal] = scores.get(ordinal, 0.0) + weight / (RANK_CONSTANT + rank) / best
    capped = [(ordinal, min(1.0, score)) for ordinal, score in scores.items()]  # rounding
    return sorted(capped, key=lambda one: (-one[1], one[0]))
