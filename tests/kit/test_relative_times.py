"""Times that are told from the day on which they are said."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.relative_times import Days
from app.kit.time_vocabulary import reader

WEDNESDAY = date(2023, 5, 31)
ENGLISH = reader("en")


def _days(since: str, until: str | None = None) -> Days:
    return Days(date.fromisoformat(since), date.fromisoformat(until or since))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did I do yesterday?", _days("2023-05-30")),
        ("The day before yesterday", _days("2023-05-29")),
        ("last night", _days("2023-05-30", "2023-05-31")),
        ("this morning", _days("2023-05-31")),
        ("10 days ago", _days("2023-05-21")),
        ("a few days ago", _days("2023-05-26", "2023-05-29")),
        ("the other day", _days("2023-05-24", "2023-05-30")),
        ("last week", _days("2023-05-22", "2023-05-28")),
        ("this week", _days("2023-05-29", "2023-06-04")),
        ("two weeks ago", _days("2023-05-14", "2023-05-20")),
        ("last Friday", _days("2023-05-26")),
        ("last wednesday", _days("2023-05-24")),
        ("next Friday", _days("2023-06-02")),
        ("last weekend", _days("2023-05-27", "2023-05-28")),
        ("two weekends ago", _days("2023-05-20", "2023-05-21")),
        ("last month", _days("2023-04-01", "2023-04-30")),
        ("two months ago", _days("2023-03-16", "2023-04-15")),
        ("over the past month", _days("2023-04-30", "2023-05-31")),
        ("the last three months", _days("2023-02-28", "2023-05-31")),
        ("last year", _days("2022-01-01", "2022-12-31")),
        ("last summer", _days("2022-06-01", "2022-08-31")),
        ("last winter", _days("2022-12-01", "2023-02-28")),
        ("the summer of 2021", _days("2021-06-01", "2021-08-31")),
        ("last June", _days("2022-06-01", "2022-06-30")),
    ],
)
def test_a_relative_time_is_read(text: str, expected: Days) -> None:
    assert [mention.days for mention in ENGLISH.mentions(text, WEDNESDAY)] == [expected]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "Was war letzte Woche?", _days("2023-05-22", "2023-05-28")),
        ("de", "vor drei Tagen", _days("2023-05-28")),
        ("de", "vorgestern", _days("2023-05-29")),
        ("fr", "la semaine dernière", _days("2023-05-22", "2023-05-28")),
        ("fr", "il y a deux jours", _days("2023-05-29")),
        ("es", "el mes pasado", _days("2023-04-01", "2023-04-30")),
        ("und", "yesterday", _days("2023-05-30")),
    ],
)
def test_the_owners_language_is_read_as_well(language: str, text: str, expected: Days) -> None:
    assert [m.days for m in reader(language).mentions(text, WEDNESDAY)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It will last for weeks.",
        "Guten Morgen!",
        "the weekly report of the past",
        "a long time ago",
        "this is it",
        "99999999 days ago",
        "9999 years ago",
    ],
)
def test_what_is_no_time_is_not_read(text: str) -> None:
    assert reader("de").mentions(text, WEDNESDAY) == []


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("What happened in the week before ", _days("2023-05-24", "2023-05-30")),
        ("two weeks before ", _days("2023-05-14", "2023-05-20")),
        ("on the Sunday before ", _days("2023-05-28")),
        ("the day after ", _days("2023-06-01")),
        ("in the week of ", _days("2023-05-29", "2023-06-04")),
    ],
)
def test_words_in_front_of_a_day_tell_from_it(before: str, expected: Days) -> None:
    assert ENGLISH.anchored(before, Days(WEDNESDAY, WEDNESDAY)) == expected


def test_other_words_in_front_say_nothing() -> None:
    assert ENGLISH.anchored("What happened on ", Days(WEDNESDAY, WEDNESDAY)) is None


@given(
    st.text(max_size=40), st.sampled_from(["last week", "3 months ago", "next year"]), st.dates()
)
def test_any_text_on_any_day_is_read_in_order(text: str, time: str, today: date) -> None:
    said = f"{text} {time} {text}"

    found = ENGLISH.mentions(said, today)

    assert all(one.start < one.stop <= len(said) for one in found)
    assert all(one.days.since <= one.days.until for one in found)
    assert all(one.stop <= other.start for one, other in pairwise(found))
