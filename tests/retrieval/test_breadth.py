"""Broad questions are told from narrow ones by what they name."""

import pytest

from app.retrieval.kernel.context import PROFILE_SHARE
from app.retrieval.service.breadth import profile_share


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("Who am I?", 0),
        ("What do I like?", 1),
        ("What am I like? I'm curious.", 2),
        ("What have we talked about?", 1),
        ("Was mag ich, und was nicht?", 1),
        ("WHAT DO YOU KNOW ABOUT ME?", 1),
        ('"What do I like?"', 1),
        ("Hello! How are you? What do you know about me?", 2),
    ],
)
def test_a_broad_question_gets_a_third(text: str, content: int) -> None:
    assert profile_share(text, content, capitals_are_names=True) == PROFILE_SHARE


def test_one_content_word_more_gets_half_of_that() -> None:
    asked = "What are the hobbies and the interests that I love?"

    assert profile_share(asked, 3, capitals_are_names=True) == PROFILE_SHARE / 2


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("What did I say about the bus that goes to the lake?", 4),
        ("What does Melanie do?", 1),
        ('What did they do in "Émile"?', 1),
        ("What did I do on day 2?", 2),
        ("tomatoes", 1),
        ("garden tomatoes?", 2),
        ("\u6211\u559c\u6b22\u4ec0\u4e48\uff1f", 1),
    ],
)
def test_a_narrow_question_gets_nothing(text: str, content: int) -> None:
    assert profile_share(text, content, capitals_are_names=True) == 0


def test_where_all_nouns_have_capitals_they_are_no_names() -> None:
    asked = "Was sind meine Hobbys?"

    assert profile_share(asked, 1, capitals_are_names=True) == 0
    assert profile_share(asked, 1, capitals_are_names=False) == PROFILE_SHARE


def test_nothing_asked_is_broad() -> None:
    assert profile_share("", 0, capitals_are_names=True) == PROFILE_SHARE
