"""A share of the hits are neighbours, the best hit's first."""

from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.kernel.contiguous import Beside, neighbours, similar


def test_three_tenths_are_neighbours() -> None:
    assert [similar(limit) for limit in (1, 2, 3, 5, 10, 20, 100)] == [1, 1, 2, 3, 7, 14, 70]


def test_the_next_turn_comes_before_the_previous_one() -> None:
    beside = {5: Beside(4, 6), 9: Beside(8, None)}

    assert neighbours([5, 9], beside, most=9) == [(6, 5), (4, 5), (8, 9)]
    assert neighbours([9, 5], beside, most=2) == [(8, 9), (6, 5)]


def test_a_hit_is_nobodys_neighbour() -> None:
    assert neighbours([5, 6], {5: Beside(4, 6), 6: Beside(5, 7)}, most=9) == [(4, 5), (7, 6)]


@given(st.lists(st.integers(1, 40), unique=True, max_size=20), st.integers(0, 50))
def test_neighbours_are_few_and_none_twice(hits: list[int], most: int) -> None:
    beside = {hit: Beside(hit - 1, hit + 1) for hit in hits}

    found = neighbours(hits, beside, most=most)

    assert len(found) <= most
    assert len({one for one, _ in found}) == len(found)
    assert not {one for one, _ in found} & set(hits)
    assert all(abs(one - hit) == 1 for one, hit in found)
