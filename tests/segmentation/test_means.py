"""An event is found by the means of its turns, those that are left and no others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.segmentation.kernel.means import BLOCK, means
from tests.segmentation.helpers import around

CENTRES = st.lists(st.integers(0, 9), min_size=1, max_size=30)


@given(CENTRES)
def test_a_mean_is_that_of_its_block(centres: list[int]) -> None:
    vectors = around(centres, noise=0.3)
    naive = [vectors[at : at + BLOCK].mean(axis=0) for at in range(0, len(centres), BLOCK)]

    found = means(vectors)

    assert found == pytest.approx(np.stack([one / np.linalg.norm(one) for one in naive]), abs=1e-6)


@given(CENTRES, st.integers(0, 29), st.integers(0, 9))
def test_means_are_exact_after_an_insert_and_a_delete(
    centres: list[int], place: int, centre: int
) -> None:
    before = around(centres, noise=0.3)
    place = min(place, len(centres))

    inserted = np.insert(before, place, around([centre]), axis=0)

    assert np.array_equal(means(np.delete(inserted, place, axis=0)), means(before))


@given(CENTRES, st.sets(st.integers(0, 29)))
def test_what_is_masked_does_not_count(centres: list[int], masked: set[int]) -> None:
    vectors = around(centres)
    hidden = [place for place in masked if place < len(centres)]
    left = np.delete(vectors, hidden, axis=0)
    vectors[hidden] = 0

    assert np.array_equal(means(vectors), means(left))


def test_opposite_turns_have_no_mean() -> None:
    assert len(means(np.array([[1, 0], [-1, 0]], np.float32))) == 0
