"""Dates and times in questions, and how near memories are to them."""

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.time_vocabulary import month_names
from app.retrieval.kernel.times import (
    NamedDate,
    asks_when,
    named_dates,
    nearness,
    tells_of_time,
    words_of_time,
)

ENGLISH = month_names("en")
LANGUAGES = {one: month_names(one) for one in ("de", "fr", "es", "it", "pt", "nl")}

_Parts = tuple[int | None, int | None, int | None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What happened on May 3, 2023?", (2023, 5, 3)),
        ("What happened on the 3rd of May?", (None, 5, 3)),
        ("What happened on 2023-05-03?", (2023, 5, 3)),
        ("What happened in August?", (None, 8, None)),
        ("what happened in august?", (None, 8, None)),
        ("Which books in Aug. 2023?", (2023, 8, None)),
        ("The trip of August, 2023", (2023, 8, None)),
        ("in May", (None, 5, None)),
        ("During March", (None, 3, None)),
        ("march 2023", (2023, 3, None)),
        ("the whole of May of 2023", (2023, 5, None)),
        ("What happened in 2022?", (2022, None, None)),
        ("since 1999", (1999, None, None)),
    ],
)
def test_a_date_is_read(text: str, expected: _Parts) -> None:
    assert named_dates(text, ENGLISH) == [NamedDate(*expected)]


@pytest.mark.parametrize(
    "text",
    [
        "What happened?",
        "May I ask what she likes?",
        "How far did they march?",
        "She went on a march for peace.",
        "The marching band and the augury",
        "At 2023-x, order 20234, room 12019",
        "the year 1850 and 2100",
        "",
    ],
)
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert named_dates(text, ENGLISH) == []


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "Was geschah im März?", (None, 3, None)),
        ("de", "Was geschah im Mai 2023?", (2023, 5, None)),
        ("fr", "Que s'est-il passé en août 2023 ?", (2023, 8, None)),
        ("fr", "en mars", (None, 3, None)),
        ("es", "¿Qué pasó en mayo de 2023?", (2023, 5, None)),
        ("it", "Che cosa è successo a settembre?", (None, 9, None)),
        ("pt", "O que aconteceu em março?", (None, 3, None)),
        ("nl", "Wat gebeurde er in mei?", (None, 5, None)),
        ("de", "in October", (None, 10, None)),
    ],
)
def test_months_are_read_in_other_languages(language: str, text: str, expected: _Parts) -> None:
    assert named_dates(text, LANGUAGES[language]) == [NamedDate(*expected)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt", "What did she find out?"),
        ("it", "Ha comprato un set a buon prezzo?"),
        ("it", "Non ho mai capito."),
        ("es", "El mar estaba frío, long ago."),
    ],
)
def test_ordinary_words_of_other_languages_are_no_months(language: str, text: str) -> None:
    assert named_dates(text, LANGUAGES[language]) == []


def test_days_go_before_months_and_months_before_years_each_once() -> None:
    assert named_dates("May 3rd, in June, in 2022", ENGLISH) == [NamedDate(None, 5, 3)]
    assert named_dates("in June or July, June or 2022", ENGLISH) == [
        NamedDate(None, 6, None),
        NamedDate(None, 7, None),
    ]
    assert named_dates("2022 or 2023 or 2022", ENGLISH) == [
        NamedDate(2022, None, None),
        NamedDate(2023, None, None),
    ]


def test_without_names_of_months_years_are_left() -> None:
    assert named_dates("May 3, in June 2022", {}) == [NamedDate(2022, None, None)]


@given(st.text(max_size=60), st.sampled_from(list(LANGUAGES.values())))
def test_any_text_can_be_read(text: str, months: Mapping[str, int]) -> None:
    for one in named_dates(text, months):
        assert 0 <= nearness(date(2024, 2, 29), [one]) <= 1
    assert isinstance(asks_when(text), bool)
    assert isinstance(tells_of_time(text, words_of_time(months)), bool)


DAY = NamedDate(2023, 5, 3)
MAY = NamedDate(2023, 5, None)
ANY_MAY = NamedDate(None, 5, None)
DECEMBER = NamedDate(2023, 12, None)
ANY_DECEMBER = NamedDate(None, 12, 31)
YEAR = NamedDate(2023, None, None)


@pytest.mark.parametrize(
    ("happened", "named", "expected"),
    [
        ("2023-05-03", DAY, 1.0),
        ("2023-05-02", DAY, 1.0),
        ("2023-05-04", DAY, 1.0),
        ("2023-05-05", DAY, 0.7),
        ("2023-05-13", DAY, 0.7),
        ("2023-05-14", DAY, 0.3),
        ("2023-05-01", DAY, 0.3),
        ("2023-06-01", DAY, 0.3),
        ("2023-04-30", DAY, 0.0),
        ("2022-05-03", DAY, 0.0),
        ("2023-07-03", DAY, 0.0),
        ("2023-05-20", MAY, 0.6),
        ("2023-06-20", MAY, 0.3),
        ("2022-05-20", MAY, 0.0),
        ("2021-05-20", ANY_MAY, 0.6),
        ("2021-06-20", ANY_MAY, 0.3),
        ("2021-04-20", ANY_MAY, 0.0),
        ("2024-01-05", DECEMBER, 0.3),
        ("2023-01-05", DECEMBER, 0.0),
        ("2031-01-05", ANY_DECEMBER, 0.3),
        ("2031-12-30", ANY_DECEMBER, 1.0),
        ("2023-09-09", YEAR, 0.3),
        ("2024-01-01", YEAR, 0.0),
    ],
)
def test_nearness(happened: str, named: NamedDate, expected: float) -> None:
    assert nearness(date.fromisoformat(happened), [named]) == expected


def test_the_nearest_of_several_dates_counts() -> None:
    assert nearness(date(2023, 5, 3), [YEAR, DAY, MAY]) == 1.0
    assert nearness(date(2023, 5, 3), []) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "When did Ann go?",
        "when?",
        "  How long has she lived there?",
        "Since when is she ill?",
        "Which day was it?",
        "What time is it?",
        "In which month did they meet?",
        "On what date was that?",
        "Wann war das?",
        "Seit wann?",
        "Depuis quand ?",
        "¿Cuándo fue?",
        "¿Desde cuándo?",
        "Da quando?",
        '"When did she go?"',
    ],
)
def test_a_question_that_asks_for_a_time(text: str) -> None:
    assert asks_when(text)


@pytest.mark.parametrize(
    "text",
    [
        "What did she do when it rained?",
        "Whenever",
        "How longing",
        "What is a day?",
        "",
        "When I was in Paris, what did I eat?",
        "when we moved who helped us",
        "When Caroline went hiking, who came along?",
        "Quand j'étais à Paris, qui m'a aidé ?",
        "Quando ero a Roma, che cosa ho mangiato?",
    ],
)
def test_a_question_that_asks_for_no_time(text: str) -> None:
    assert not asks_when(text)


@pytest.mark.parametrize(
    "text",
    [
        "I went there yesterday.",
        "Two weeks ago.",
        "On MONDAY!",
        "In 2019 we moved.",
        "It was in August.",
        "Last summer",
        "Das war gestern.",
    ],
)
def test_a_text_that_tells_of_a_time(text: str) -> None:
    assert tells_of_time(text, words_of_time(ENGLISH))


@pytest.mark.parametrize(
    "text", ["I like tea.", "She may march.", "The daylight saving", "Room 20190", ""]
)
def test_a_text_that_tells_of_no_time(text: str) -> None:
    assert not tells_of_time(text, words_of_time(ENGLISH))


def test_months_of_the_owners_language_tell_of_a_time() -> None:
    assert tells_of_time("Das war Ende Oktober.", words_of_time(LANGUAGES["de"]))
    assert not tells_of_time("Das war Ende Oktober.", words_of_time(ENGLISH))
