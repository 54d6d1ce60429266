"""Late interaction: how well each token of a question is met by some token of a memory. Pure.

Axes: q tokens of the question, t tokens of all candidates one behind the other, w words of 64 bits
a token, n candidates.

Source: ColBERT (Khattab and Zaharia), arXiv:2004.12832, MaxSim over token vectors.
Deviation: the tokens are those of the encoder that makes the pooled vectors, untrained for this,
and only their signs are kept: a cosine is taken as 1 - 2 x the share of signs that differ. Of the
question's tokens the worse met half counts: function words are met by nearly every memory.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = 8
"""Bytes."""


def similarities(question: NDArray[np.uint8], held: Sequence[bytes | None]) -> list[float] | None:
    """Return for each candidate how well it meets the tokens of the question.

    The mean of the tokens' best matches, over the worse half of them. In [-1, 1]; a candidate
    without tokens gets the least of the others. ``None``: there is nothing to compare.

    Args:
        question: sign bits of its tokens, packed. Shape [q, bytes a token].
        held: those of each candidate, one token behind the other.
    """
    width = question.shape[1] if question.size else 0
    known = [one for one in held if one]
    if not width or not known:
        return None
    ends = np.cumsum([len(one) // width for one in known])
    columns = _columns(np.frombuffer(b"".join(known), np.uint8).reshape(-1, width))
    differing = _differing(_columns(question), columns)
    nearest = np.minimum.reduceat(differing, [0, *ends[:-1]], axis=1)  # [q, n]
    half = len(nearest) // 2
    worse = np.sort(nearest, axis=0)[half:].mean(axis=0)  # [n]
    values = (1 - worse / (4 * width)).tolist()
    found, least = iter(values), min(values)
    return [next(found) if one else least for one in held]


def _columns(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return rows of bytes as columns of words: adding whole columns is fast. Shape [w, rows]."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % _WORD)))
    found: NDArray[np.uint64] = np.ascontiguousarray(padded).view(np.uint64)
    return np.ascontiguousarray(found.T)


def _differing(question: NDArray[np.uint64], tokens: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Count the bits in which tokens differ. Shapes: [w, q] and [w, t]; the answer has [q, t]."""
    found = np.zeros((question.shape[1], tokens.shape[1]), np.uint16)
    for word, column in zip(question, tokens, strict=True):
        found += np.bitwise_count(word[:, None] ^ column)
    return found
