"""Figures of rankings."""

import pytest

from scripts.bench.mechanisms import figures


def test_recall_is_the_share_of_what_is_wanted_among_the_first() -> None:
    assert figures.recall_at(2, ["a", "b", "c"], {"a", "c"}) == 0.5
    assert figures.recall_at(3, ["a", "b", "c"], {"a", "c"}) == 1


def test_what_is_wanted_counts_less_the_further_down_it_is() -> None:
    assert figures.ndcg_at(10, ["a", "b", "c"], {"a", "b"}) == 1
    assert figures.ndcg_at(10, ["c", "a", "b"], {"a"}) == pytest.approx(0.6309, abs=1e-4)
    assert figures.ndcg_at(1, ["c", "a"], {"a"}) == 0


def test_no_difference_has_an_interval_of_nothing() -> None:
    assert figures.difference([1, 0, 1], [1, 0, 1]) == (0, 0, 0)


def test_a_difference_lies_within_its_interval() -> None:
    found = figures.difference([0.0] * 50, [1.0] * 40 + [0.0] * 10)
    assert found.mean == pytest.approx(0.8)
    assert 0.6 < found.low < found.mean < found.high < 1
