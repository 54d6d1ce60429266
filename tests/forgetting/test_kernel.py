"""The forgetting curve: the paper's figures, and what must hold for any memory."""

import math
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.forgetting import kernel
from app.forgetting.kernel import Mark

START = datetime(2026, 1, 1, tzinfo=UTC)
MEMORIES = [UUID(int=random.Random(7).getrandbits(96) + number) for number in range(10_000)]

days = st.floats(0, 400)
strengths = st.floats(0.5, 400)
shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("strength_days", "expected"),
    [
        (1, [0.368, 0.135, 0.007, 0.001, 0]),
        (2, [0.607, 0.368, 0.082, 0.030, 0]),
        (3, [0.717, 0.513, 0.189, 0.097, 0]),
    ],
)
def test_retention_is_that_of_the_table(strength_days: float, expected: list[float]) -> None:
    found = [kernel.retention(t, strength_days) for t in (1, 2, 5, 7, 30)]

    assert found == pytest.approx(expected, abs=0.001)


def test_retention_is_not_rounded() -> None:
    assert kernel.retention(1, 1) == math.exp(-1)
    assert kernel.retention(2.5, 3) == math.exp(-2.5 / 3)


def test_a_week_later_little_is_left_of_what_was_heard_once() -> None:
    assert kernel.retention(7, 1) < 0.001
    assert kernel.retention(7, 8) > 0.4


@given(days.filter(lambda t: t > 0.01), strengths, strengths)
def test_a_stronger_memory_retains_more(t: float, one: float, other: float) -> None:
    weaker, stronger = sorted((one, other))
    assume(stronger - weaker > 0.01)
    assume(t / weaker < 300)  # beyond, both are 0 to a float

    assert kernel.retention(t, stronger) > kernel.retention(t, weaker)


@given(strengths, shares)
def test_right_after_a_recall_all_is_retained(strength_days: float, floor: float) -> None:
    assert kernel.retention(0, strength_days, floor=floor) == 1


@given(days, days, strengths, shares)
def test_retention_only_falls_and_keeps_its_bounds(
    one: float, other: float, strength_days: float, floor: float
) -> None:
    earlier, later = sorted((one, other))
    early, late = (kernel.retention(t, strength_days, floor=floor) for t in (earlier, later))

    assert 1 >= early >= late >= floor


@given(st.lists(days, min_size=3, max_size=6), strengths, st.floats(0, 0.9))
def test_survival_is_the_same_however_the_time_is_cut(
    cuts: list[float], strength_days: float, floor: float
) -> None:
    first, *_, last = cuts = sorted(cuts)
    parts = [kernel.survival(a, b, strength_days, floor=floor) for a, b in pairwise(cuts)]

    whole = kernel.survival(first, last, strength_days, floor=floor)
    assert math.prod(parts) == pytest.approx(whole, rel=1e-6, abs=1e-250)


@given(days, days, strengths)
def test_without_a_floor_survival_is_the_papers_law_of_the_time_between(
    one: float, other: float, strength_days: float
) -> None:
    before, after = sorted((one, other))
    assume(after / strength_days < 600)

    found = kernel.survival(before, after, strength_days)

    assert found == pytest.approx(math.exp(-(after - before) / strength_days), rel=1e-9)


def test_of_a_memory_faded_to_nothing_survival_is_still_that_of_the_time_between() -> None:
    assert kernel.survival(1_000, 1_001, 1) == math.exp(-1)


@given(shares.filter(lambda level: level > 1e-6), strengths, st.floats(0, 0.9))
def test_the_moment_of_fading_is_where_the_curve_meets_the_level(
    level: float, strength_days: float, floor: float
) -> None:
    t = kernel.days_until(level, strength_days, floor=floor)

    if level <= floor:
        assert t == math.inf
    else:
        assert kernel.retention(t, strength_days, floor=floor) == pytest.approx(level)
        assert kernel.retention(t + strength_days * 1e-3, strength_days, floor=floor) < level


def test_nothing_falls_below_nothing() -> None:
    assert kernel.days_until(0, 1) == math.inf


@given(shares, st.floats(0, 0.5), shares)
def test_the_factor_is_bounded_and_grows_with_retention(
    retained: float, weight: float, other: float
) -> None:
    found = kernel.factor(retained, weight)

    assert 1 - weight <= found <= 1
    assert kernel.factor(1, weight) == 1
    if other > retained:
        assert kernel.factor(other, weight) >= found


@given(strengths, shares)
def test_importance_adds_to_strength_only_by_its_setting(held: float, importance: float) -> None:
    assert kernel.strength(held, importance, 0) == held
    assert kernel.strength(held, None, 30) == held
    assert kernel.strength(held, importance, 30) == held + 30 * importance


def test_time_does_not_run_backwards() -> None:
    assert kernel.elapsed_days(START, START - timedelta(days=3)) == 0
    assert kernel.elapsed_days(START, START + timedelta(hours=36)) == 1.5


# Draws.


def _survives(memory_id: UUID, t: float, strength_days: float = 1, seed: int = 0) -> bool:
    return kernel.retention(t, strength_days) >= kernel.draw(seed, memory_id, START)


def test_a_draw_depends_on_seed_memory_and_recall_only() -> None:
    first = kernel.draw(0, MEMORIES[0], START)

    assert kernel.draw(0, MEMORIES[0], START) == first
    others = {
        kernel.draw(1, MEMORIES[0], START),
        kernel.draw(0, MEMORIES[1], START),
        kernel.draw(0, MEMORIES[0], START + timedelta(microseconds=1)),
    }
    assert len(others | {first}) == 4
    assert all(0 < one <= 1 for one in others)


@pytest.mark.parametrize("seed", [0, 1, 42])
def test_after_a_day_the_share_of_survivors_is_the_retention(seed: int) -> None:
    survivors = sum(_survives(one, 1, seed=seed) for one in MEMORIES)

    assert survivors / len(MEMORIES) == pytest.approx(0.368, abs=0.015)


@pytest.mark.parametrize("strength_days", [5, 15, 60])
def test_hourly_daily_or_once_in_thirty_days_the_same_memories_survive(
    strength_days: float,
) -> None:
    draws = {one: kernel.draw(0, one, START) for one in MEMORIES}

    def after(runs: int) -> set[UUID]:
        alive = set(MEMORIES)
        for run in range(1, runs + 1):
            retained = kernel.retention(30 * run / runs, strength_days)
            alive = {one for one in alive if retained >= draws[one]}
        return alive

    once = after(1)

    assert len(once) / len(MEMORIES) == pytest.approx(math.exp(-30 / strength_days), abs=0.015)
    assert after(30) == once
    assert after(720) == once


@pytest.mark.parametrize(("before", "now"), [(0.5, 1), (1, 2.5), (3, 4)])
def test_of_those_alive_a_share_of_the_conditional_chance_survives(
    before: float, now: float
) -> None:
    strength_days = 2
    alive = [one for one in MEMORIES if _survives(one, before, strength_days)]
    survivors = [one for one in alive if _survives(one, now, strength_days)]

    expected = kernel.survival(before, now, strength_days)
    assert len(survivors) / len(alive) == pytest.approx(expected, abs=0.025)


def test_a_recalled_memory_is_drawn_anew_and_independently() -> None:
    later = START + timedelta(days=1)
    alive = [one for one in MEMORIES if _survives(one, 1)]
    survivors = [one for one in alive if math.exp(-1 / 2) >= kernel.draw(0, one, later)]

    assert len(survivors) / len(alive) == pytest.approx(math.exp(-1 / 2), abs=0.025)


# Lives.


def test_a_life_is_read_from_its_marks() -> None:
    marks = [Mark(START, 1), Mark(START + timedelta(days=2), 2)]
    moments = [START + timedelta(days=t) for t in (-1, 0, 1, 2, 4)]

    found = kernel.retention_along(marks, moments)

    assert found == [None, 1, math.exp(-1), 1, math.exp(-1)]
