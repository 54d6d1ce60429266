"""Late interaction by sign bits, against the plain definition."""

import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.retrieval.kernel.late_interaction import similarities


def _packed(tokens: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.packbits(tokens > 0, axis=1)


def _plain(question: NDArray[np.float32], held: NDArray[np.float32]) -> float:
    """Return the mean of the best shares of like signs, over the worse half of the tokens."""
    of_question, of_held = np.where(question > 0, 1, -1), np.where(held > 0, 1, -1)
    products = of_question @ of_held.T / question.shape[1]
    best: list[float] = sorted(products.max(axis=1).tolist())
    worse = best[: math.ceil(len(best) / 2)]
    return fmean(worse)


@given(
    seed=st.integers(0, 2**32 - 1),
    words=st.integers(1, 7),
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    dimensions=st.sampled_from([8, 64, 72, 384, 768]),
)
def test_it_is_the_mean_of_the_best_matches(
    seed: int, words: int, lengths: list[int], dimensions: int
) -> None:
    rng = np.random.default_rng(seed)
    question = rng.standard_normal((words, dimensions)).astype(np.float32)
    held = [rng.standard_normal((count, dimensions)).astype(np.float32) for count in lengths]

    found = similarities(_packed(question), [_packed(one).tobytes() for one in held])

    known = [_plain(question, one) for one in held if len(one)]
    if not known:
        assert found is None
        return
    expected = [_plain(question, one) if len(one) else min(known) for one in held]
    assert found == pytest.approx(expected)


def test_what_has_no_tokens_counts_as_the_least() -> None:
    rng = np.random.default_rng(5)
    question = rng.standard_normal((3, 64)).astype(np.float32)
    bits = _packed(question).tobytes()

    found = similarities(_packed(question), [None, bits, bits[:8], b""])

    assert found is not None
    assert found[1] == 1
    assert found[0] == found[3] == found[2] < 1


def test_without_any_tokens_there_is_nothing_to_compare() -> None:
    some = np.zeros((2, 8), np.uint8)

    assert similarities(some, [None, b""]) is None
    assert similarities(np.zeros((0, 8), np.uint8), [bytes(16)]) is None
    assert similarities(some, []) is None
