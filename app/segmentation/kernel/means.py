"""The vectors by which an event is found as a whole. Pure.

Source: HCAM, arXiv:2105.14039, section 3: a chunk is found by its summary, the mean of what is in
it, before its details are looked at; what is masked does not count.
Deviation: one mean of a long event is near nothing in particular, so there is one for every few
turns. It is computed anew from the turns that are left, never carried on: what was deleted is in
none of it.

Axes: n turns, d dimensions, m blocks.
"""

import numpy as np
from numpy.typing import NDArray

BLOCK = 4
"""Turns of a mean; of two who take turns, an even number holds both."""


def means(vectors: NDArray[np.float32], *, block: int = BLOCK) -> NDArray[np.float32]:
    """Return the direction of each block's mean, of length 1. Shapes [n, d] → [m, d].

    A turn whose vector is 0, of which nothing is known, does not count; a block of such turns has
    no mean.
    """
    known = vectors[np.linalg.norm(vectors, axis=1) > 0]
    if not len(known):
        return np.zeros((0, vectors.shape[1]), np.float32)
    starts = np.arange(0, len(known), block)
    # A mean's length says nothing of its direction, so the sum does.
    sums = np.add.reduceat(known.astype(np.float64), starts)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    is_somewhere = lengths[:, 0] > 1e-9
    found: NDArray[np.float32] = (sums[is_somewhere] / lengths[is_somewhere]).astype(np.float32)
    return found
