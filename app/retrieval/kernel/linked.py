"""What the links of the hits lead to. Pure.

Source: A-MEM, arXiv:2502.12110, section 3.4: notes linked to what was retrieved are shown as well.
Deviation: its code cuts the hits and what is linked to them to k together, so that with k hits
nothing linked is ever shown; here the linked ones come beyond the k hits and displace none.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Step(NamedTuple):
    """A link between two memories, whichever points to the other."""

    one: int
    other: int
    weight: float


class Linked(NamedTuple):
    """A memory beyond the hits: the hit that leads to it, and that hit's score x the weight."""

    ordinal: int
    linked_from: int
    score: float
    weight: float


def beyond(hits: Mapping[int, float], steps: Iterable[Step]) -> list[Linked]:
    """Return the memories one link away from the hits, best first, each by its best link.

    Args:
        hits: scores in [0, 1] by ordinal.
        steps: links of the hits; a weight below 0 counts as 0.
    """
    found: dict[int, Linked] = {}
    for step in steps:
        for hit, other in ((step.one, step.other), (step.other, step.one)):
            if hit not in hits or other in hits:
                continue
            weight = max(0.0, step.weight)
            reached = Linked(other, hit, hits[hit] * weight, weight)
            if other not in found or _rank(reached) < _rank(found[other]):
                found[other] = reached
    return sorted(found.values(), key=_rank)


def _rank(one: Linked) -> tuple[float, int, int]:
    return -one.score, one.ordinal, one.linked_from
