"""Figures of rankings on lists made by hand, with each trap of the published code."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.kernel.ranking import (
    FIGURES,
    PLACES,
    figures,
    ndcg_official,
    ndcg_textbook,
    recall_all,
    recall_any,
)


def test_any_needs_one_and_all_needs_every() -> None:
    ranked = ["a", "x", "b", "y"]

    assert [recall_any(ranked, {"a", "b"}, k) for k in (1, 2, 3)] == [1, 1, 1]
    assert [recall_all(ranked, {"a", "b"}, k) for k in (1, 2, 3)] == [0, 0, 1]
    assert recall_any(ranked, {"z"}, 4) == recall_all(ranked, {"a", "z"}, 4) == 0


def test_with_nothing_to_find_all_is_found_and_the_rest_is_nought() -> None:
    assert recall_all(["a"], (), 5) == 1
    assert recall_any(["a"], (), 5) == 0
    assert ndcg_textbook(["a"], (), 5) == ndcg_official(["a"], (), 5) == 0


def test_the_published_gain_does_not_discount_the_second_place() -> None:
    assert ndcg_official(["x", "a"], {"a"}, 5) == 1
    assert ndcg_textbook(["x", "a"], {"a"}, 5) == pytest.approx(1 / log2(3))
    assert ndcg_official(["x", "x2", "a"], {"a"}, 5) == pytest.approx(1 / log2(3))


def test_the_two_gains_of_a_longer_list() -> None:
    ranked, wanted = ["a", "x", "b", "y", "c"], {"a", "b", "c"}

    official = (1 + 1 / log2(3) + 1 / log2(5)) / (1 + 1 + 1 / log2(3))
    textbook = (1 + 1 / log2(4) + 1 / log2(6)) / (1 + 1 / log2(3) + 1 / log2(4))
    assert ndcg_official(ranked, wanted, 5) == pytest.approx(official)
    assert ndcg_textbook(ranked, wanted, 5) == pytest.approx(textbook)


def test_the_ideal_list_is_no_longer_than_what_is_looked_at() -> None:
    assert ndcg_textbook(["a"], {"a", "b", "c"}, 1) == 1
    assert recall_all(["a"], {"a", "b", "c"}, 1) == 0


def test_every_figure_is_given_at_every_place() -> None:
    found = figures(["a"], {"a"})

    assert set(found) == {f"{name}@{k}" for name in FIGURES for k in (1, 3, 5, 10, 30, 50)}
    assert set(found.values()) == {1.0}


@given(
    st.lists(st.sampled_from("abcdefgh"), unique=True),
    st.sets(st.sampled_from("abcdefgh"), min_size=1),
)
def test_figures_are_shares_and_grow_with_the_list(ranked: list[str], wanted: set[str]) -> None:
    for k in PLACES:
        for figure in FIGURES.values():
            assert 0 <= figure(ranked, wanted, k) <= 1
        assert recall_all(ranked, wanted, k) <= recall_any(ranked, wanted, k)
    assert recall_any(ranked, wanted, 1) <= recall_any(ranked, wanted, 50)
