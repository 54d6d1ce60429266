"""Moves a boundary to where the turns on both sides hang together best. Pure.

Source: EM-LLM, arXiv:2407.09450, section 3.2: turns are the nodes of a graph, their similarities
its edges; a boundary is good if modularity is high, or conductance low.
Deviation: similarities are cosines of turns instead of products of attention keys; negative ones
count as 0, since modularity is not defined for them. Conductance weighs both sides alike; the
paper's code counts edges inside for one side and all the rest for the other.

Axes: n turns of the window around a boundary.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Metric = Literal["modularity", "conductance"]
_DIGITS = 9


def similarities(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return cosines of all pairs, negative ones as 0. Shapes [n, d] → [n, n], in [0, 1]."""
    return np.clip(vectors.astype(np.float64) @ vectors.astype(np.float64).T, 0.0, None)


def modularity(edges: NDArray[np.float64], start: int, place: int) -> float:
    """Return Σ (A_ij - k_i k_j / 2m) / 2m over the pairs within a community; at most 1.

    Communities are [0, start), [start, place) and [place, n); larger is better.
    """
    degrees = edges.sum(axis=1)
    total = degrees.sum()
    if total <= 0:
        return 0.0
    held = 0.0
    for low, high in ((0, start), (start, place), (place, len(edges))):
        held += edges[low:high, low:high].sum() - degrees[low:high].sum() ** 2 / total
    return float(held / total)


def conductance(edges: NDArray[np.float64], start: int, place: int) -> float:
    """Return edges cut at ``place`` / volume of the smaller side, from ``start`` on; in [0, 1]."""
    part = edges[start:, start:]
    cut = part[: place - start, place - start :].sum()
    degrees = part.sum(axis=1)
    smaller = min(degrees[: place - start].sum(), degrees[place - start :].sum())
    return float(cut / smaller) if smaller > 0 else 1.0


_GOODNESS: Mapping[Metric, Callable[[NDArray[np.float64], int, int], float]] = {
    "modularity": modularity,
    "conductance": lambda edges, start, place: -conductance(edges, start, place),
}


def refined(vectors: NDArray[np.float32], metric: Metric, *, start: int, places: range) -> int:
    """Return the best of some places for a boundary; of equals the last, which moves it least.

    Args:
        vectors: turns of the window. Shape [n, d].
        metric: by what to judge.
        start: where the event before the boundary begins.
        places: candidates, ascending, above ``start`` and below n.
    """
    edges = similarities(vectors)
    judge = _GOODNESS[metric]
    return max(places, key=lambda place: (round(judge(edges, start, place), _DIGITS), place))
