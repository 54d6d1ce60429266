"""Hits by similarity, and the turns beside them. Pure.

Source: EM-LLM, arXiv:2407.09450, section 3.3: a share of what is retrieved, .3, are the neighbours
of what is similar, since what was said together is remembered together.
Deviation: its neighbours are events, and wait in a queue from one step to the next; a recall has no
step before, so neighbours are the turns beside its own hits, those of the best hit first.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

SHARE = 0.3
WEIGHT = 0.5
"""A neighbour that similarity did not find scores this share of its hit's relevance."""


class Beside(NamedTuple):
    """The turns before and behind one; ``None``: there is none."""

    previous: int | None
    next: int | None


def similar(limit: int) -> int:
    """Return how many of ``limit`` hits are found by similarity: at least one."""
    return max(1, int((1 - SHARE) * limit + 1e-9))


def neighbours(
    hits: Sequence[int], beside: Mapping[int, Beside], *, most: int
) -> list[tuple[int, int]]:
    """Return pairs of a neighbour and its hit, the best hit's first, the next turn before the last.

    A neighbour that is itself among the hits, or that a better hit has, is left out.

    Args:
        hits: ordinals, best first.
        beside: what stands beside each of them.
        most: how many to return.
    """
    taken = set(hits)
    found: list[tuple[int, int]] = []
    for hit in hits:
        around = beside.get(hit, Beside(None, None))
        for ordinal in (around.next, around.previous):
            if ordinal is not None and ordinal not in taken:
                taken.add(ordinal)
                found.append((ordinal, hit))
    return found[:most]
