"""Sentences, words and stems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I live in Paris. It rains!", ["I live in Paris.", "It rains!"]),
        ("Dr. Smith met J. Doe. They spoke.", ["Dr. Smith met J. Doe.", "They spoke."]),
        ("It is 3.5 km away.", ["It is 3.5 km away."]),
        ("one\n\ntwo", ["one", "two"]),
        ("\u597d\u3002\u597d\uff01", ["\u597d\u3002", "\u597d\uff01"]),
        ("  ", []),
    ],
)
def test_a_text_is_cut_into_sentences(text: str, expected: list[str]) -> None:
    assert words.sentences(text) == expected


@given(st.text())
def test_sentences_lose_nothing_but_white_space(text: str) -> None:
    assert "".join("".join(words.sentences(text)).split()) == "".join(text.split())


@given(st.text())
def test_words_stand_where_they_say(text: str) -> None:
    assert all(text[word.start : word.stop] == word.text for word in words.words(text))


def test_words_keep_apostrophes_and_hyphens() -> None:
    found = [word.text for word in words.words("It's a well-known cat.")]

    assert found == ["It's", "a", "well-known", "cat"]


def test_content_words_are_those_the_index_kept() -> None:
    found = words.content_words("The cats were running home", {"cat", "run", "home"}, "english")

    assert [word.text for word in found] == ["cats", "running", "home"]
    assert words.stem("Running", "simple") == "running"
