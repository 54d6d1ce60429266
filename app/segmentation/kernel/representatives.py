"""The turns that stand for an event. Pure.

Source: EM-LLM, arXiv:2407.09450, section 3.3: an event is found by a few representative tokens;
HCAM, arXiv:2105.14039: a chunk is found by a summary before its details are looked at.
Deviation: EM-LLM takes the tokens that were attended to most, HCAM the mean of the chunk. A mean is
near nothing in particular; here the turns are taken that together are nearest to all of them.

Axes: n turns, d dimensions.
"""

import numpy as np
from numpy.typing import NDArray

MOST = 4


def representatives(vectors: NDArray[np.float32], *, most: int = MOST) -> list[int]:
    """Return places of at most ``most`` turns, ascending, such that each turn is near to one.

    Greedy: each next one adds most to the sum, over all turns, of the cosine to the nearest one
    taken. Ties go to the earlier turn. Shape of ``vectors``: [n, d].
    """
    near = np.clip(vectors.astype(np.float64) @ vectors.astype(np.float64).T, 0.0, None)
    covered = np.zeros(len(vectors))
    taken: list[int] = []
    for _ in range(min(most, len(vectors))):
        gains = np.round(np.maximum(near, covered).sum(axis=1), 9)
        gains[taken] = -1.0
        taken.append(int(gains.argmax()))
        covered = np.maximum(covered, near[taken[-1]])
    return sorted(taken)
