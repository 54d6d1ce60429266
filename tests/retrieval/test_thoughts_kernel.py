"""Hits and sources of thoughts in one ranking."""

import pytest

from app.retrieval.kernel.thoughts import fuse


def test_the_first_of_both_rankings_scores_one() -> None:
    ordinal, score = fuse({3: 1.0, 1: 0.5}, [3, 2])[0]

    assert ordinal == 3
    assert score == pytest.approx(1)
    assert score <= 1


def test_hits_alone_keep_their_order() -> None:
    assert [ordinal for ordinal, _ in fuse({5: 0.9, 9: 0.5, 2: 0.1}, [])] == [5, 9, 2]


def test_a_source_that_was_no_hit_comes_in() -> None:
    assert {ordinal for ordinal, _ in fuse({1: 0.9, 2: 0.8}, [7])} == {1, 2, 7}


def test_a_source_twice_counts_once() -> None:
    assert fuse({1: 0.5}, [2, 2, 3]) == fuse({1: 0.5}, [2, 3])


def test_the_source_of_the_nearest_thought_passes_a_hit_that_is_hardly_better() -> None:
    assert [ordinal for ordinal, _ in fuse({1: 0.82, 2: 0.8, 3: 0.3}, [2, 3])] == [2, 1, 3]
