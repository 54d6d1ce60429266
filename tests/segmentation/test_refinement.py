"""A boundary is moved to where both sides hang together best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.segmentation.kernel.refinement import (
    Metric,
    conductance,
    modularity,
    refined,
    similarities,
)
from tests.segmentation.helpers import around

BOTH = pytest.mark.parametrize("metric", ["modularity", "conductance"])


@BOTH
def test_a_boundary_noticed_late_is_moved_back_to_the_change(metric: Metric) -> None:
    vectors = around([0] * 10 + [1] * 10)

    assert refined(vectors, metric, start=0, places=range(4, 14)) == 10


@BOTH
def test_turns_that_are_all_alike_move_nothing(metric: Metric) -> None:
    vectors = around([2] * 12, noise=0)

    assert refined(vectors, metric, start=0, places=range(5, 7)) in {5, 6}
    assert refined(vectors, metric, start=0, places=range(6, 7)) == 6


def test_negative_similarities_count_as_none() -> None:
    edges = similarities(np.array([[1, 0], [-1, 0], [0.6, 0.8]], np.float32))

    assert edges == pytest.approx(np.array([[1, 0, 0.6], [0, 1, 0], [0.6, 0, 1]]), abs=1e-6)


def test_modularity_of_two_separate_halves_is_a_half() -> None:
    edges = np.kron(np.eye(2), np.ones((3, 3))).astype(np.float64)

    assert modularity(edges, 0, 3) == pytest.approx(0.5)
    assert modularity(edges, 0, 6) == pytest.approx(0.0)


def test_conductance_is_the_share_of_edges_that_are_cut() -> None:
    edges = np.kron(np.eye(2), np.ones((3, 3))).astype(np.float64)

    assert conductance(edges, 0, 3) == 0
    assert conductance(edges, 0, 1) == pytest.approx(2 / 3)


@given(st.lists(st.integers(0, 4), min_size=3, max_size=20), st.data())
def test_modularity_is_that_of_its_definition(centres: list[int], data: st.DataObject) -> None:
    edges = similarities(around(centres))
    start = data.draw(st.integers(0, len(centres) - 2))
    place = data.draw(st.integers(start + 1, len(centres) - 1))
    community = np.searchsorted([start, place], np.arange(len(centres)), side="right")
    degrees, total = edges.sum(axis=1), edges.sum()
    naive = sum(
        edges[i, j] - degrees[i] * degrees[j] / total
        for i in range(len(centres))
        for j in range(len(centres))
        if community[i] == community[j]
    )

    assert modularity(edges, start, place) == pytest.approx(naive / total, abs=1e-9)
