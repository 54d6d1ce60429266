"""Surprise told by vectors: far from what was before is surprising."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.segmentation.kernel.surprise import Signal, surprise, threshold
from tests.segmentation.helpers import around

BOTH = pytest.mark.parametrize("signal", ["block", "next"])


@BOTH
def test_a_change_of_topic_is_the_greatest_surprise(signal: Signal) -> None:
    found = surprise(around([0] * 10 + [1] * 10), signal, window=3)

    assert int(np.nanargmax(found)) == 10
    assert found[10] > 0.8
    assert np.nanmax(np.delete(found, [8, 9, 10, 11, 12])) < 0.2


@BOTH
def test_equal_turns_surprise_nobody(signal: Signal) -> None:
    found = surprise(around([3] * 9, noise=0), signal, window=3)

    assert np.nanmax(found) == 0


def test_the_next_turn_is_compared_with_the_mean_of_those_before() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)

    found = surprise(vectors, "next", window=2)

    mean = np.array([0.5, 0.5]) / np.linalg.norm([0.5, 0.5])
    assert np.isnan(found[0])
    assert found[1] == 1
    assert found[2] == pytest.approx(1 - mean @ [0.6, 0.8], abs=1e-6)


def test_blocks_wait_for_the_turns_that_they_are_made_of() -> None:
    found = surprise(around([0, 1, 2, 3, 4, 5]), "block", window=3)

    assert np.isnan(found).tolist() == [True, False, False, False, True, True]


@BOTH
def test_a_turn_of_which_nothing_is_known_surprises_nobody(signal: Signal) -> None:
    vectors = around([0] * 6)
    vectors[3] = 0

    assert np.nanmax(surprise(vectors, signal, window=1)) < 0.2


@BOTH
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 39))
def test_surprise_depends_on_the_turns_around_alone(
    signal: Signal, centres: list[int], cut: int
) -> None:
    vectors = around(centres)
    whole, part = surprise(vectors, signal, window=3), surprise(vectors[cut:], signal, window=3)

    assert np.array_equal(whole[cut + 3 :], part[3:], equal_nan=True)


def test_the_threshold_is_mean_and_deviations_of_what_is_known() -> None:
    past = np.array([np.nan, 1.0, 3.0, np.nan])

    assert threshold(past, 1.5) == 2 + 1.5 * 1
    assert threshold(past[:2], 1.5) == float("inf")
