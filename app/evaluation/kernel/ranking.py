"""Figures of a ranking against what should have been found. Pure.

Source: LongMemEval, arXiv:2410.10813, retrieval metrics. Deviation: both forms of NDCG are given.
The published code's discount is log2(i) at place i, so that place 2 is not discounted; the
textbook's is log2(i + 1).

Every figure lies in [0, 1]; nothing to be found makes ``recall_all`` 1 and all others 0.
"""

from collections.abc import Callable, Collection, Sequence
from math import log2

PLACES = (1, 3, 5, 10, 30, 50)
"""The numbers of hits that are looked at."""


def recall_any(ranked: Sequence[str], wanted: Collection[str], k: int) -> float:
    """Return 1 if any of what is wanted is among the first ``k``."""
    return float(not set(wanted).isdisjoint(ranked[:k]))


def recall_all(ranked: Sequence[str], wanted: Collection[str], k: int) -> float:
    """Return 1 if all of what is wanted is among the first ``k``; also if nothing is wanted."""
    return float(set(wanted).issubset(ranked[:k]))


def ndcg_textbook(ranked: Sequence[str], wanted: Collection[str], k: int) -> float:
    """Return NDCG with the discount log2(i + 1) at place i."""
    return _ndcg(ranked, wanted, k, lambda place: log2(place + 1))


def ndcg_official(ranked: Sequence[str], wanted: Collection[str], k: int) -> float:
    """Return NDCG as the published code computes it: places 1 and 2 count alike."""
    return _ndcg(ranked, wanted, k, lambda place: log2(max(place, 2)))


def _ndcg(
    ranked: Sequence[str], wanted: Collection[str], k: int, discount: Callable[[int], float]
) -> float:
    gains = [float(one in set(wanted)) for one in ranked[:k]]
    reached = sum(gain / discount(place) for place, gain in enumerate(gains, 1))
    best = sum(1 / discount(place) for place in range(1, min(len(set(wanted)), k) + 1))
    return min(1.0, reached / best) if best else 0.0


Figure = Callable[[Sequence[str], Collection[str], int], float]
FIGURES: dict[str, Figure] = {
    "recall_any": recall_any,
    "recall_all": recall_all,
    "ndcg_textbook": ndcg_textbook,
    "ndcg_official": ndcg_official,
}


def figures(ranked: Sequence[str], wanted: Collection[str]) -> dict[str, float]:
    """Return every figure at every number of places, by names such as ``recall_all@5``."""
    return {
        f"{name}@{k}": figure(ranked, wanted, k) for name, figure in FIGURES.items() for k in PLACES
    }
