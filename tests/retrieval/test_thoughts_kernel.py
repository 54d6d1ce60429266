"""Hits and sources of thoughts in one ranking."""

import pytest

from app.retrieval.kernel.thoughts import fuse


def test_the_first_of_both_rankings_scores_one() -> None:
    ordinal, score = fuse([3, 1], [3, 2])[0]

    assert ordinal == 3
    assert score == pytest.approx(1)
    assert score <= 1


def test_hits_alone_keep_their_order() -> None:
    assert [ordinal for ordinal, _ in fuse([5, 9, 2], [])] == [5, 9, 2]


def test_a_source_that_was_no_hit_comes_in() -> None:
    assert {ordinal for ordinal, _ in fuse([1, 2], [7])} == {1, 2, 7}


def test_a_source_twice_counts_once() -> None:
    assert fuse([1], [2, 2, 3]) == fuse([1], [2, 3])
