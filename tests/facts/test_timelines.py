"""What held when, and what of it was known when: closed forms and properties."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.facts.kernel.timelines import Observation, Stretch, history, layout


def day(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def seen(
    object_: str, since: int, until: int | None = None, *, known: int = 2030, source: int = 1
) -> Observation:
    return Observation(source, object_, day(since), day(until) if until else None, day(known), None)


def spans(stretches: list[Stretch]) -> list[tuple[str, int, int | None]]:
    return [
        (one.object, one.valid_from.year, one.valid_to.year if one.valid_to else None)
        for one in stretches
    ]


def test_an_object_holds_until_another_is_observed() -> None:
    found = layout([seen("Berlin", 2015), seen("Rome", 2018)])

    assert spans(found) == [("Berlin", 2015, 2018), ("Rome", 2018, None)]


def test_what_is_observed_late_of_an_earlier_time_holds_until_the_next() -> None:
    found = layout([seen("Berlin", 2015), seen("Rome", 2018), seen("Oslo", 2016, known=2031)])

    assert spans(found) == [("Berlin", 2015, 2016), ("Oslo", 2016, 2018), ("Rome", 2018, None)]


def test_a_stated_end_leaves_a_gap() -> None:
    assert spans(layout([seen("Paris", 2012, 2015), seen("Rome", 2018)])) == [
        ("Paris", 2012, 2015),
        ("Rome", 2018, None),
    ]


def test_what_is_said_again_stays_one_stretch_of_greater_confidence() -> None:
    once = replace(seen("Berlin", 2015), confidence=0.8)
    again = replace(once, source=2, valid_from=day(2016), object="Berlin Mitte")

    (found,) = layout([once, again])

    assert (found.object, found.valid_from) == ("Berlin Mitte", day(2015))
    assert found.sources == (1, 2)
    assert found.confidence == 0.96


def test_an_end_ends_its_own_object_only() -> None:
    end = replace(seen("Berlin", 2018), is_end=True)
    other = replace(end, object="Rome")

    assert spans(layout([seen("Berlin", 2015), end])) == [("Berlin", 2015, 2018)]
    assert spans(layout([seen("Berlin", 2015), other])) == [("Berlin", 2015, None)]


def test_of_one_moment_what_was_learned_last_counts() -> None:
    assert spans(layout([seen("Berlin", 2015, known=2031), seen("Rome", 2015, known=2030)])) == [
        ("Berlin", 2015, None)
    ]


def test_a_late_correction_changes_what_held_but_not_what_was_known() -> None:
    wrong, right = seen("Berlin", 2015, known=2020), seen("Rome", 2015, known=2022)

    found = history([wrong, right])

    assert [(one.stretch.object, one.known_from, one.known_to) for one in found] == [
        ("Berlin", day(2020), day(2022)),
        ("Rome", day(2022), None),
    ]


def test_what_is_retired_is_known_no_longer() -> None:
    (found,) = history([replace(seen("Berlin", 2015, known=2020), known_to=day(2021))])

    assert (found.known_from, found.known_to) == (day(2020), day(2021))


observations = st.lists(
    st.builds(
        lambda object_, since, length, known, source, is_end: replace(
            seen(object_, since, since + length if length else None, known=known, source=source),
            is_end=is_end,
        ),
        st.sampled_from(["a", "b", "c"]),
        st.integers(2000, 2010),
        st.integers(0, 4),
        st.integers(2010, 2015),
        st.integers(1, 9),
        st.booleans(),
    ),
    max_size=7,
)


@given(observations)
def test_at_most_one_object_holds_at_a_time(held: list[Observation]) -> None:
    found = layout(held)

    for before, after in itertools.pairwise(found):
        assert before.valid_to is not None
        assert before.valid_to <= after.valid_from
    assert all(one.valid_to is None or one.valid_from < one.valid_to for one in found)


@given(observations)
def test_the_order_in_which_it_is_told_does_not_matter(held: list[Observation]) -> None:
    assert layout(held) == layout(list(reversed(held)))


@given(observations, st.integers(2009, 2016))
def test_what_was_known_at_a_time_is_the_layout_of_what_had_been_learned(
    held: list[Observation], year: int
) -> None:
    at = day(year)
    known = [one for one in held if one.known_from <= at]

    found = [
        one.stretch
        for one in history(held)
        if one.known_from <= at and (one.known_to is None or at < one.known_to)
    ]

    assert sorted(spans(found)) == sorted(spans(layout(known)))
