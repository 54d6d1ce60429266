"""Votes move scores within bounds, near the question, and less with time."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.feedback import kernel
from app.feedback.kernel import LARGEST, SHRINKAGE, Vote

VOTES = st.lists(st.builds(Vote, st.floats(-1, 1), st.floats(0, 1)), max_size=50)


def test_without_votes_nothing_is_added() -> None:
    assert kernel.compensation([]) == 0


def test_it_is_the_weighted_error_shrunk() -> None:
    votes = [Vote(-0.8, 1.0), Vote(0.4, 0.5)]

    expected = 0.5 * (-0.8 * 1.0 + 0.4 * 0.5) / (1.5 + 1)
    assert kernel.compensation(votes) == pytest.approx(expected)


@given(VOTES)
def test_no_score_is_moved_by_more_than_the_bound(votes: list[Vote]) -> None:
    assert abs(kernel.compensation(votes)) < LARGEST


@given(st.floats(-1, 1), st.floats(0, 1))
def test_one_vote_moves_little(error: float, weight: float) -> None:
    moved = abs(kernel.compensation([Vote(error, weight)]))

    assert moved <= LARGEST / (1 + SHRINKAGE) + 1e-12


def test_the_weightiest_votes_count_and_no_more() -> None:
    strong = [Vote(1.0, 1.0)] * kernel.NEAREST

    assert kernel.compensation([Vote(-1.0, 0.1)] * 100 + strong) == kernel.compensation(strong)


def test_a_vote_weighs_less_the_farther_its_question_and_the_older_it_is() -> None:
    assert kernel.weight(1.0, 0) == 1
    assert kernel.weight(0.5, 0) == pytest.approx(0.5**4)
    assert kernel.weight(-0.7, 0) == 0
    assert kernel.weight(1.0, 30) == pytest.approx(np.exp(-1))
    assert kernel.weight(1.0, -3) == 1


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_predicts_more_use(one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert 0 < kernel.predicted(low) <= kernel.predicted(high) < 1


_MEMORIES, _FLIPPED, _CERTAIN = 10, 2, 0.85


def _losses(*, compensates: bool, seed: int) -> tuple[float, float]:
    """Return the mean log loss before a drift, and from the 200th vote behind it on.

    Ten memories, each with questions of its own and a score that predicts how useful it is; at
    step 1,000 two of them become as useless as they were useful, or the other way round.
    """
    generator = np.random.default_rng(seed)
    useful = np.arange(_MEMORIES) % 2 == 0
    offset = np.log(_CERTAIN / (1 - _CERTAIN)) / 8
    scores = np.where(useful, 0.6 + offset, 0.6 - offset)
    slots: deque[tuple[int, float, int]] = deque(maxlen=512)
    losses = []
    for step in range(1_400):
        if step == 1_000:
            useful[:_FLIPPED] = ~useful[:_FLIPPED]
        memory = int(generator.integers(_MEMORIES))
        votes = [
            Vote(error, kernel.weight(0.95, (step - at) / 24))
            for voted, error, at in reversed(slots)
            if voted == memory
        ]
        moved = kernel.compensation(votes) if compensates else 0.0
        predicted = kernel.predicted(min(1.0, max(0.0, float(scores[memory]) + moved)))
        was_useful = generator.random() < (_CERTAIN if useful[memory] else 1 - _CERTAIN)
        losses.append(-np.log(predicted if was_useful else 1 - predicted))
        slots.append((memory, was_useful - kernel.predicted(float(scores[memory])), step))
    return float(np.mean(losses[500:1_000])), float(np.mean(losses[1_200:]))


@pytest.mark.parametrize("compensates", [True, False])
def test_predictions_recover_from_a_drift_within_200_votes_and_not_without(
    *, compensates: bool
) -> None:
    runs = [_losses(compensates=compensates, seed=seed) for seed in range(6)]
    before, after = np.mean(runs, axis=0)

    assert (after <= 1.1 * before) == compensates
