"""How surprising each turn is, told by vectors. Pure.

Source: EM-LLM, arXiv:2407.09450, section 3.1: an event begins where what comes next is surprising.
Deviation: surprise is -log p(token | past) there. Without a language model it is told by vectors,
turn by turn: how far a turn, or a block of turns, lies from the block before.

Axes: n turns, d dimensions. Vectors have length 1, or 0 where nothing is known of a turn.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Signal = Literal["block", "next"]
_DIGITS = 6
"""Equal turns must be equally surprising, in whatever batch they were compared."""


def surprise(vectors: NDArray[np.float32], signal: Signal, *, window: int) -> NDArray[np.float64]:
    """Return 1 - cosine to the ``window`` turns before, in [0, 2]; NaN where it cannot be told.

    Args:
        vectors: turns of one stretch, in order. Shape [n, d].
        signal: ``next`` compares a turn, ``block`` the mean of it and those behind it, ``window``
            in all: the last ``window`` - 1 turns must wait for more.
        window: turns of a block; fewer at the beginning of the stretch.

    Returns:
        Shape [n]; NaN for the first turn, which has nothing before it.
    """
    count = len(vectors)
    found = np.full(count, np.nan)
    ahead = window if signal == "block" else 1
    summed = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, 0, np.float64)])
    places = np.arange(1, count - ahead + 1)
    if len(places):
        before = summed[places] - summed[np.maximum(places - window, 0)]
        after = summed[places + ahead] - summed[places]
        found[places] = np.round(1 - _cosines(before, after), _DIGITS)
    return found


def _cosines(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = (one * other).sum(axis=1)
    # Nothing is known of a zero vector: it surprises nobody.
    found: NDArray[np.float64] = np.ones_like(products)
    np.divide(products, lengths, out=found, where=lengths > 1e-9)
    return found


def threshold(past: NDArray[np.float64], gamma: float) -> float:
    """Return mean + gamma x standard deviation of past surprises; infinite before two are known.

    Args:
        past: surprises before the turn in question, NaN among them. Shape [n].
        gamma: how many deviations above the mean are a boundary.
    """
    known = past[~np.isnan(past)]
    if len(known) < 2:
        return float("inf")
    return float(known.mean() + gamma * known.std())
