"""Texts as encoders take them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def padded(ids: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return token ids padded on the right, and lengths."""
    lengths = np.array([len(row) for row in ids], np.int32)
    array = np.zeros((len(ids), int(lengths.max())), np.int32)
    for target, row in zip(array, ids, strict=True):
        target[: len(row)] = row
    return array, lengths
