"""A stream is cut online: piece by piece with the same result as at once."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.segmentation.kernel.boundaries import Cut, Rules, cut
from app.segmentation.kernel.refinement import Metric
from app.segmentation.kernel.surprise import Signal
from tests.segmentation.helpers import around

SMALL = Rules(history=12, least=3, most=10, gap_s=60)
"""So small that random streams of some dozens meet every rule."""


def _minutes(count: int) -> NDArray[np.float64]:
    return 60.0 * np.arange(count, dtype=np.float64)


def _starts(cuts: list[Cut]) -> list[int]:
    return [one.opening.place for one in cuts]


@pytest.mark.parametrize("signal", ["block", "next"])
@pytest.mark.parametrize("refinement", [None, "modularity", "conductance"])
def test_events_begin_where_the_topic_changes(signal: Signal, refinement: Metric | None) -> None:
    vectors = around([0] * 20 + [1] * 20 + [2] * 20, noise=0)
    rules = Rules(signal=signal, gamma=1.0, refinement=refinement)

    found = cut(vectors, _minutes(60), rules)

    assert _starts(found) == [0, 20, 40]
    assert [one.opening.reason for one in found] == ["start", "surprise", "surprise"]


def test_a_pause_is_a_boundary_and_nothing_is_compared_across_it() -> None:
    vectors = around([0] * 10 + [1] * 10, noise=0)
    times = _minutes(20)
    times[10:] += 3_600

    found = cut(vectors, times, Rules())

    assert _starts(found) == [0, 10]
    assert found[1].opening.reason == "gap"
    assert found[1].opening.surprise is None


def test_turns_that_were_written_out_of_order_are_a_pause_too() -> None:
    times = _minutes(6)
    times[3:] -= 86_400

    assert _starts(cut(around([0] * 6), times, Rules())) == [0, 3]


def test_sizes_keep_their_bounds() -> None:
    vectors = around(np.random.default_rng(3).integers(0, 8, 200).tolist(), noise=0.4)

    refinements: tuple[Metric | None, ...] = (None, "modularity")
    for refinement in refinements:
        rules = Rules(gamma=0.0, refinement=refinement, least=8, most=16)
        sizes = [one.stop - one.opening.place for one in cut(vectors, _minutes(200), rules)]
        assert sum(sizes) == 200
        assert min(sizes[:-1]) >= 8
        assert max(sizes) <= 16


def test_nothing_is_cut_where_nothing_surprises() -> None:
    found = cut(around([5] * 40, noise=0), _minutes(40), Rules())

    assert _starts(found) == [0]


def test_an_empty_stream_has_no_events() -> None:
    assert cut(np.zeros((0, 16), np.float32), np.zeros(0), Rules()) == []


def test_what_happened_last_is_not_closed() -> None:
    rules = Rules(refinement=None)

    found = cut(around([0] * 20 + [1] * 20, noise=0), _minutes(40), rules)

    assert found[-1].needs is None
    assert found[0].needs == 26, "its end is known once the turns behind it are"


def test_a_refined_boundary_is_provisional_until_the_turns_behind_it_are_known() -> None:
    vectors = around([0] * 20 + [1] * 20, noise=0)
    rules = Rules(gamma=1.0, refinement="modularity")

    early = cut(vectors[:24], _minutes(24), rules)
    late = cut(vectors, _minutes(40), rules)

    assert early[0].needs is None
    assert late[0].needs == 29


RULES = st.builds(
    replace,
    st.just(SMALL),
    signal=st.sampled_from(["block", "next"]),
    gamma=st.sampled_from([0.0, 0.5, 1.0]),
    refinement=st.sampled_from([None, "modularity", "conductance"]),
)
STREAMS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([1, 1, 1, 1, 1, 1, 1, 90])), max_size=70
)


def _of(stream: list[tuple[int, int]]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    vectors = around([centre for centre, _ in stream] or [0], noise=0.3)[: len(stream)]
    return vectors, np.cumsum([float(step) for _, step in stream])


@settings(max_examples=150, deadline=None)
@given(STREAMS, RULES)
def test_events_cover_the_stream_without_a_hole(
    stream: list[tuple[int, int]], rules: Rules
) -> None:
    found = cut(*_of(stream), rules)

    assert [one.stop for one in found] == [*_starts(found)[1:], len(stream)][: len(found)]
    assert _starts(found)[:1] == ([0] if stream else [])


@settings(max_examples=150, deadline=None)
@given(STREAMS, RULES, st.integers(0, 69))
def test_a_closed_event_is_the_same_whatever_follows(
    stream: list[tuple[int, int]], rules: Rules, length: int
) -> None:
    vectors, times = _of(stream)

    early = cut(vectors[:length], times[:length], rules)
    late = cut(vectors, times, rules)

    closed = [one for one in early if one.needs is not None]
    assert late[: len(closed)] == closed
    assert all(one.needs is not None and one.needs < len(vectors[:length]) for one in closed)


@settings(max_examples=150, deadline=None)
@given(STREAMS, RULES, st.integers(0, 30))
def test_cut_from_any_event_on_the_rest_is_as_it_was(
    stream: list[tuple[int, int]], rules: Rules, number: int
) -> None:
    vectors, times = _of(stream)
    whole = cut(vectors, times, rules)
    if number >= len(whole):
        return
    opening = whole[number].opening
    skipped = max(0, opening.place - rules.context)

    moved = opening._replace(place=opening.place - skipped, noticed=opening.noticed - skipped)
    rest = cut(vectors[skipped:], times[skipped:], rules, first=moved)

    assert [one.opening.place + skipped for one in rest] == _starts(whole)[number:]
    assert [one.stop + skipped for one in rest] == [one.stop for one in whole[number:]]
