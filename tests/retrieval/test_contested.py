"""Where candidates contradict each other: exchanged places, sides that stay together."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.contested import MOST_LOST, Open, Settled, settle


def one(ordinal: int, score: float) -> Candidate:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Candidate(
        ordinal, score, None, None, None, None, None, UUID(int=ordinal), "episode", "", None,
        None, None, None, None, moment, moment, None, False, 1.0, None, None, {},
    )  # fmt: skip


def order(candidates: list[Candidate]) -> list[int]:
    return [candidate.ordinal for candidate in candidates]


def test_what_holds_exchanges_places_with_what_it_replaced() -> None:
    found = settle([one(1, 0.9), one(3, 0.85), one(2, 0.8)], [Settled(1, 2, True)], [], limit=3)

    assert order(found) == [2, 3, 1]
    assert [candidate.score for candidate in found] == [0.9, 0.85, 0.8]
    assert found[0].relevance == 0.8


def test_a_loss_is_bounded() -> None:
    found = settle([one(1, 1.0), one(2, 0.1)], [Settled(1, 2, True)], [], limit=2)

    assert order(found) == [2, 1]
    assert found[1].score == 1 - MOST_LOST


def test_what_is_not_sure_counts_only_where_both_answer_nearly_as_well() -> None:
    near = settle([one(1, 1.0), one(2, 0.9)], [Settled(1, 2, False)], [], limit=2)
    far = settle([one(1, 1.0), one(2, 0.5)], [Settled(1, 2, False)], [], limit=2)

    assert (order(near), order(far)) == ([2, 1], [1, 2])


def test_a_chain_of_changes_is_in_order() -> None:
    chain = [Settled(1, 2, True), Settled(2, 3, True)]

    assert order(settle([one(1, 0.9), one(2, 0.5), one(3, 0.1)], chain, [], limit=3)) == [3, 2, 1]


def test_the_other_side_of_what_is_open_comes_right_behind() -> None:
    found = settle([one(1, 0.9), one(2, 0.8), one(3, 0.0)], [], [Open(1, 3)], limit=2)

    assert order(found) == [1, 3, 2]


def test_what_is_not_wanted_raises_nothing() -> None:
    found = settle([one(1, 0.9), one(2, 0.5), one(3, 0.1)], [], [Open(2, 3)], limit=1)

    assert order(found) == [1, 2, 3]


@given(
    st.lists(st.floats(0.01, 1), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=5),
)
def test_scores_stay_in_bounds_and_none_is_lost(
    scores: list[float], pairs: list[tuple[int, int]]
) -> None:
    candidates = [one(n, score) for n, score in enumerate(scores)]
    settled = [Settled(min(pair), max(pair), True) for pair in pairs if pair[0] != pair[1]]

    found = settle(candidates, settled, [], limit=3)

    assert sorted(order(found)) == list(range(len(scores)))
    assert all(0 < candidate.score <= 1 for candidate in found)
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
