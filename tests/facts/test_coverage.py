"""How well a time is covered. ChroKnowledge, arXiv 2410.09870; acceptance of its service form."""

import random
from datetime import UTC, datetime

import pytest

from app.facts.kernel.coverage import Sighting, Step, categorise, classify, timeline

YEARS = range(2010, 2024)
GRID = [datetime(year, 1, 1, tzinfo=UTC) for year in range(2007, 2028)]

HIT, MISS = "Paris", "Rome"


@pytest.mark.parametrize(
    ("greedy", "sampled", "expected"),
    [
        ([HIT, HIT], [HIT], "correct"),
        ([HIT, HIT], [MISS], "correct"),
        ([HIT, HIT], [], "correct"),
        ([HIT, MISS], [HIT], "partial_correct_1"),
        ([HIT, MISS], [MISS], "partial_correct_1"),
        ([HIT, MISS], [], "partial_correct_1"),
        ([MISS, MISS], [MISS, HIT], "partial_correct_2"),
        ([MISS, MISS], [HIT], "partial_correct_2"),
        ([MISS, MISS], [MISS], "incorrect"),
        ([MISS, MISS], [], "incorrect"),
        ([], [HIT], "partial_correct_2"),
        ([], [MISS, HIT], "partial_correct_2"),
        ([], [MISS], "incorrect"),
        ([], [], "incorrect"),
        (["the PARIS"], [], "correct"),
        (["Paris Saint-Germain"], [], "incorrect"),
    ],
)
def test_answers_are_classified(greedy: list[str], sampled: list[str], expected: str) -> None:
    assert classify(greedy, sampled, [HIT]) == expected


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("ccc", "known"),
        ("iii", "unknown"),
        ("cci", "cut_off"),
        ("icc", "cut_off"),
        ("cic", "partially_known"),
        ("1ci", "partially_known"),
        ("222", "partially_known"),
        ("", "unknown"),
    ],
)
def test_knowledge_is_categorised_over_years(answers: str, expected: str) -> None:
    kinds = {"c": "correct", "i": "incorrect", "1": "partial_correct_1", "2": "partial_correct_2"}

    assert categorise([kinds[one] for one in answers]) == expected  # type: ignore[misc]  # literals


def _line(seen: dict[int, str], *, is_functional: bool = True, span: int = 3) -> dict[int, Step]:
    sightings = [
        Sighting(name, datetime(year, 7, 1, tzinfo=UTC), datetime(year, 7, 1, tzinfo=UTC), year)
        for year, name in seen.items()
    ]
    steps = timeline(
        sightings, GRID, first=3, last=3 + len(YEARS), span=span, is_functional=is_functional
    )
    return dict(zip(YEARS, steps, strict=True))


def test_a_gap_is_filled_where_both_sides_agree() -> None:
    step = _line({2010: "A", 2013: "A"})[2012]

    assert (step.state, step.objects) == ("interpolated", ("A",))
    assert [(one.object, one.steps_away) for one in step.candidates] == [("A", 1), ("A", -2)]


def test_sides_that_differ_are_both_named_with_their_dates() -> None:
    step = _line({2010: "A", 2013: "B"})[2011]

    assert (step.state, step.objects) == ("contradictory", ("A", "B"))
    assert [one.seen_at.year for one in step.candidates] == [2010, 2013]


def test_two_objects_of_one_step_contradict_unless_there_may_be_several() -> None:
    seen = [Sighting(name, GRID[4], GRID[5], n) for n, name in enumerate("AB")]

    (one,) = timeline(seen, GRID, first=4, last=5)
    (several,) = timeline(seen, GRID, first=4, last=5, is_functional=False)

    assert (one.state, one.objects) == ("contradictory", ("A", "B"))
    assert (several.state, several.objects) == ("asserted", ("A", "B"))


def test_one_side_alone_fills_nothing() -> None:
    steps = _line({2015: "A"})

    assert steps[2014].state == steps[2016].state == "unknown"
    assert steps[2016].candidates[0].object == "A"
    assert steps[2019].candidates == ()


def test_the_third_neighbour_is_the_last_that_counts() -> None:
    assert _line({2010: "A", 2014: "A"})[2013].state == "interpolated"
    assert _line({2010: "A", 2015: "A"})[2014].state == "unknown"
    assert _line({2010: "A", 2012: "A"}, span=0)[2011].state == "unknown"


def test_gaps_of_a_synthetic_history_are_filled_rightly() -> None:
    """200 relations, 2010 to 2023, three of ten years deleted, half of them change."""
    chance = random.Random(0)
    filled = right = covered = years = 0
    for number in range(200):
        truth, value = {}, 0
        for year in YEARS:
            if number % 2 and chance.random() < 0.2:
                value += 1
            truth[year] = f"value {value}"
        seen = {year: name for year, name in truth.items() if chance.random() >= 0.3}
        for year, step in _line(seen).items():
            years += 1
            covered += step.state in {"asserted", "interpolated"}
            if number % 2 == 0 and step.state == "interpolated":
                filled += 1
                right += step.objects == (truth[year],)

    assert filled > 300
    assert right / filled >= 0.99
    assert covered / years >= 0.85
