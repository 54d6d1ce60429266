"""Facts by rule: what a sentence states, and of which time."""

import time
from datetime import UTC, datetime

import pytest

from app.facts.kernel.dates import stated
from app.facts.kernel.reading import MOST, Claim, read


def of(sentence: str, language: str = "en") -> list[Claim]:
    return read([sentence], speaker="Alice", language=language)


def day(year: int, month: int = 1, of_month: int = 1) -> datetime:
    return datetime(year, month, of_month, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sentence", "subject", "relation", "object_", "is_functional"),
    [
        ("I live in Berlin.", "Alice", "lives in", "Berlin", True),
        ("I like tea.", "Alice", "likes", "tea", False),
        ("The capital of France is Paris.", "France", "capital is", "Paris", True),
        ("Acme's CEO is Bob Li.", "Acme", "ceo is", "Bob Li", True),
        ("My shoe size is 42.", "Alice", "shoe size is", "42", True),
        ('The answer to "who won" is The Reds.', "who won", "answer is", "The Reds", True),
    ],
)
def test_a_statement_is_read_as_a_triple(
    sentence: str, subject: str, relation: str, object_: str, *, is_functional: bool
) -> None:
    (claim,) = of(sentence)

    assert claim == Claim(subject, relation, object_, is_functional)


@pytest.mark.parametrize(
    ("sentence", "since", "until"),
    [
        ("I moved to Rome in 2019.", day(2019), None),
        ("In May 2015 I moved to Oslo.", day(2015, 5), None),
        ("I live in Bonn since 3 June 2020.", day(2020, 6, 3), None),
        ("I lived in Paris from 2012 to 2015.", day(2012), day(2015)),
        ("I worked at Acme in 2010.", day(2010), day(2011)),
        ("I was married to Tom from May 5, 2001 until 2009-02-01.", day(2001, 5, 5),
         day(2009, 2, 1)),
    ],
)  # fmt: skip
def test_a_stated_time_is_when_it_held(
    sentence: str, since: datetime, until: datetime | None
) -> None:
    (claim,) = of(sentence)

    assert (claim.since, claim.until) == (since, until)


@pytest.mark.parametrize(
    "sentence", ["I no longer live in Berlin.", "I don't live in Berlin anymore."]
)
def test_what_is_said_to_hold_no_longer_ends(sentence: str) -> None:
    (claim,) = of(sentence)

    assert claim == Claim("Alice", "lives in", "Berlin", is_functional=True, is_end=True)


@pytest.mark.parametrize(
    "sentence",
    [
        "Do I live in Berlin?",
        "I used to live in Madrid.",
        "The best part of the trip is Rome.",
        "The point of it is Rome.",
        "My day is Going well.",
        "He lives in Rome.",
    ],
)
def test_what_is_asked_past_or_of_nothing_certain_is_no_fact(sentence: str) -> None:
    assert of(sentence) == []


def test_other_languages_are_not_read_by_rule() -> None:
    assert of("Ich lebe in Berlin.", language="de") == []


def test_one_memory_gives_so_many_facts_and_each_once() -> None:
    many = [f"I like thing{number}." for number in range(40)]

    assert len(read([*many[:2], *many], speaker="Alice", language="en")) == MOST
    assert len(read(many[:1] * 3, speaker="Alice", language="en")) == 1


@pytest.mark.parametrize("text", ["in 2015-13-40", "on 31 February 2020", "from 2018 to 2012"])
def test_a_time_that_is_none_states_nothing(text: str) -> None:
    found = stated(f"I lived there {text}.")

    assert found.until is None or found.since is None


def test_long_texts_of_almost_matches_are_read_in_no_time() -> None:
    started = time.monotonic()
    for word in ("the a of ", "from 2015 ", "no longer ", "my a is ", "'s "):
        read([word * 60], speaker="Alice", language="en")

    assert time.monotonic() - started < 1
