"""What the links of the hits lead to."""

import numpy as np
import pytest

from app.retrieval.kernel.linked import NOTE_WEIGHT, Linked, Step, beyond, near_the_best
from tests.retrieval.candidates import candidate

X, Y = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


def test_a_link_is_followed_from_either_end() -> None:
    hits = {1: 0.8, 5: 0.5}

    found = beyond(hits, [Step(3, 1, 0.5), Step(5, 4, 0.9)])

    assert found == [Linked(4, 5, 0.45, 0.9), Linked(3, 1, 0.4, 0.5)]


def test_hits_are_not_found_again_and_links_elsewhere_do_not_count() -> None:
    assert beyond({1: 1.0, 2: 1.0}, [Step(2, 1, 1.0), Step(9, 8, 1.0)]) == []


def test_of_two_links_the_better_counts() -> None:
    assert beyond({1: 0.9, 2: 0.5}, [Step(3, 2, 1.0), Step(3, 1, 0.8)]) == [
        Linked(3, 1, 0.9 * 0.8, 0.8)
    ]


def test_a_negative_weight_counts_as_none() -> None:
    assert beyond({1: 0.9}, [Step(2, 1, -0.3)]) == [Linked(2, 1, 0.0, 0.0)]


def test_a_note_near_those_of_the_best_lifts_a_memory_above_others() -> None:
    found = [candidate(n, score=score) for n, score in enumerate((1.0, 0.9, 0.8, 0.5, 0.49), 1)]

    lifted = near_the_best(found, {1: X, 2: X, 3: X, 4: Y, 5: X})

    assert [one.ordinal for one in lifted] == [1, 2, 3, 5, 4]
    by_ordinal = {one.ordinal: one for one in lifted}
    assert by_ordinal[5].score == pytest.approx((0.49 + NOTE_WEIGHT * 0.9) / (1 + NOTE_WEIGHT))
    assert by_ordinal[1].features["note"] == pytest.approx(
        NOTE_WEIGHT * (0.9 + 0.8) / 3 / (1 + NOTE_WEIGHT)
    )
    assert by_ordinal[4].features["note"] == 0
    assert all(0 <= one.score <= 1 for one in lifted)


def test_a_memory_without_a_note_yet_neither_gains_nor_loses_by_it() -> None:
    found = [candidate(n, score=score) for n, score in enumerate((1.0, 0.9, 0.8, 0.5), 1)]

    lifted = {one.ordinal: one for one in near_the_best(found, {1: X, 2: X, 3: X})}

    others = [lifted[ordinal].features["note"] for ordinal in (1, 2, 3)]
    assert lifted[4].features["note"] == pytest.approx(sum(others) / 3)


def test_in_talks_with_an_assistant_notes_have_no_say() -> None:
    found = [candidate(n, score=1 / n, role="assistant") for n in range(1, 6)]

    assert near_the_best(found, dict.fromkeys(range(1, 6), X)) == found


def test_without_notes_of_the_best_nothing_changes() -> None:
    found = [candidate(n, score=1 / n) for n in range(1, 6)]

    assert near_the_best(found, {}) == near_the_best(found, {5: X}) == found
    assert near_the_best([], {}) == []
