"""What takes another statement's place, and what is denied: by rule, without a store."""

import pytest

from app.facts.kernel.contrasts import STRONG, Statement, denials, replaces, share, statement


def read(text: str) -> Statement:
    found = statement(text, str.lower)
    assert found is not None
    return found


def score(older: str, newer: str, cosine: float = 0.8, *, is_nearest: bool = True) -> float:
    return replaces(read(newer), read(older), cosine, is_nearest=is_nearest)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("Ada Byrne is a nurse from Cork.", "Ada Byrne is a violinist from Cork."),
        ("Ada and Tom met at a wedding in 2015.", "Ada and Tom met at a concert in 2018."),
        ("Ada enjoys sailing.", "Ada does not enjoy sailing."),
        ("Ada Byrne graduated from Yale.", "Ada Byrne graduated from Oxford, not Yale."),
    ],
)
def test_what_says_otherwise_of_the_same_takes_its_place(older: str, newer: str) -> None:
    assert score(older, newer) >= STRONG


@pytest.mark.parametrize(
    ("older", "newer", "cosine"),
    [
        ("Ada Byrne is a nurse from Cork.", "Ada Byrne once wrote a letter to Tom.", 0.5),
        ("Ada Byrne runs a bakery.", "Tom Lee runs a bakery.", 0.9),
        ("Ada and Tom wrote a song.", "Tom and Eve painted a wall.", 0.5),
    ],
)
def test_what_says_another_thing_does_not(older: str, newer: str, cosine: float) -> None:
    assert score(older, newer, cosine, is_nearest=False) < STRONG


def test_the_same_said_again_replaces_nothing() -> None:
    assert score("Ada runs a bakery.", "Ada runs a bakery.", 1.0) < STRONG


@pytest.mark.parametrize(
    "text",
    [
        "I moved to Cork last year.",
        "Thanks, Ada!",
        "Did Ada move?",
        "Ada told me that you are here.",
        "hiking is fun in the hills",
        "Ada " + "walks and " * 40,
    ],
)
def test_talk_is_no_statement_about_somebody(text: str) -> None:
    assert statement(text, str.lower) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I've never baked any bread before, can you help?", ["baked any bread before"]),
        ("Well, I have never actually used a loom.", ["used a loom"]),
        ("I haven't ever sold a painting.", ["sold a painting"]),
        ("I never do.", []),
        ("I baked bread.", []),
    ],
)
def test_what_is_denied_is_read_without_the_denial(text: str, expected: list[str]) -> None:
    assert denials(text) == expected


def test_a_share_of_words_counts_rare_ones_more() -> None:
    weights = {"bread": 3.0, "any": 1.0}.__getitem__

    assert share({"bread", "any"}, {"bread"}, weights) == 0.75
    assert share((), {"bread"}, weights) == 0
