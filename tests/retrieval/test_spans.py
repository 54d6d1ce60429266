"""Which days a question asks about."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.relative_times import Days
from app.kit.time_vocabulary import month_names, reader
from app.retrieval.kernel.spans import Times, read
from app.retrieval.kernel.times import NamedDate

TODAY = date(2023, 5, 31)


def _read(text: str, today: date = TODAY) -> Times:
    return read(text, today=today, months=month_names("en"), reader=reader("en"))


def _days(since: str, until: str) -> Days:
    return Days(date.fromisoformat(since), date.fromisoformat(until))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did I do last week?", _days("2023-05-22", "2023-05-28")),
        ("since May 4th", _days("2023-05-04", "2023-05-31")),
        ("after May 4th", _days("2023-05-05", "2023-05-31")),
        ("between May 4th and 9 May", _days("2023-05-04", "2023-05-09")),
        ("from August 11 to August 15 2022", _days("2022-08-11", "2022-08-15")),
        ("between December 2021 and February 2022", _days("2021-12-01", "2022-02-28")),
        ("before June 2022", _days("0002-01-01", "2022-05-31")),
        ("before June", _days("0002-01-01", "2022-05-31")),
        ("the week before 16 November 2022", _days("2022-11-09", "2022-11-15")),
        ("last weekend before April 10, 2022", _days("2022-04-02", "2022-04-03")),
    ],
)
def test_days_before_after_and_between_are_resolved(text: str, expected: Days) -> None:
    times = _read(text)

    assert list(times.spans) == [expected]
    assert times.named == []


def test_named_dates_stay_as_they_are_named() -> None:
    assert _read("on May 4th").named == [NamedDate(None, 5, 4)]
    assert _read("in June").named == [NamedDate(None, 6, None)]
    assert _read("in 2021").named == [NamedDate(2021, None, None)]
    assert not _read("What now?").is_dated


def test_with_a_day_in_it_a_question_is_told_from_that_day() -> None:
    times = _read("What worried Tim last week, as he said on November 6, 2022?")

    assert list(times.spans) == [_days("2022-10-24", "2022-10-30")]
    assert times.named == [NamedDate(2022, 11, 6)]


def test_a_span_is_soft_by_two_days() -> None:
    times = _read("between May 22nd and May 28th 2023")
    days = [date(2023, 5, day) for day in (19, 20, 22, 28, 30, 31)]

    assert [times.nearness(day) for day in days] == [0, 0.7, 1, 1, 0.7, 0]


def test_what_is_told_from_today_says_less_than_a_date() -> None:
    day = date(2023, 5, 24)

    assert _read("last week").from_today
    assert not _read("last week, as of May 31st 2023").from_today
    assert _read("last week").nearness(day) < _read("in the week of May 24th 2023").nearness(day)


def test_what_tells_of_the_days_is_as_near_as_what_was_said_on_them() -> None:
    friday = Days(date(2023, 5, 26), date(2023, 5, 26))
    long_ago = date(2020, 1, 1)

    assert _read("last week").nearness(long_ago, [friday]) == 0.4
    assert _read("on May 26th 2023").nearness(long_ago, [friday]) == 1
    assert _read("in May 2023").nearness(long_ago, [friday]) == 0.6
    assert _read("in 2023").nearness(long_ago, [friday]) == 0.3
    assert _read("on May 20th 2023").nearness(long_ago, [friday]) == 0


@given(st.text(max_size=60), st.dates())
def test_any_question_can_be_read_on_any_day(text: str, today: date) -> None:
    times = _read(f"{text} last week, before May 3 or since 2021 {text}", today)

    assert all(span.since <= span.until for span in times.spans)
    assert 0 <= times.nearness(today) <= 1
