"""Each turn of an event is near to one that stands for it."""

from hypothesis import given
from hypothesis import strategies as st

from app.segmentation.kernel.representatives import MOST, representatives
from tests.segmentation.helpers import around


def test_one_turn_stands_for_each_topic() -> None:
    centres = [0, 0, 0, 1, 1, 2, 2, 3]

    found = representatives(around(centres))

    assert {centres[place] for place in found} == {0, 1, 2, 3}


def test_a_short_event_stands_for_itself() -> None:
    assert representatives(around([0, 1])) == [0, 1]
    assert representatives(around([4])) == [0]


@given(st.lists(st.integers(0, 7), min_size=1, max_size=30))
def test_there_are_few_and_none_twice(centres: list[int]) -> None:
    found = representatives(around(centres))

    assert len(found) == len(set(found)) == min(MOST, len(centres))
    assert found == sorted(found)
    assert set(found) <= set(range(len(centres)))
