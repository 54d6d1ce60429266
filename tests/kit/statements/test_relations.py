"""Which heads and relations are the same, and which relations hold for one tail at a time."""

import pytest

from app.kit.statements import (
    fits,
    head_key,
    is_functional,
    is_same_tail,
    normalised,
    relation_key,
)


def test_texts_are_compared_in_one_form() -> None:
    assert normalised("  The  Old, Band! ") == "old band"
    assert normalised("Al@New.Example.") == "al@new.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Alice\u2019s Mum", "alice's mother"), ("Bob's new boss", "Bob's manager"),
     ("The Beatles", "beatles"), ("Alice's dad", "Alice's father"), ("Alice's new", "alice's new")],
)  # fmt: skip
def test_heads_that_mean_the_same_are_the_same(one: str, other: str) -> None:
    assert head_key(one) == head_key(other)


def test_other_heads_are_others() -> None:
    assert len({head_key(one) for one in ("Alice", "Alice's wife", "Alice's ex-wife", "Bob")}) == 4


@pytest.mark.parametrize(
    ("relation", "key"),
    [("Moved to", "lives in"), ("is living in", "lives in"), ("has just moved to", "lives in"),
     ("now resides in", "lives in"), ("is employed by", "works at"), ("married", "is married to"),
     ("is called", "is named"), ("has become a", "works as"), ("turned", "is aged"),
     ("favorite movie is", "favourite film is"), ("all-time favourite band", "favourite band is"),
     ("lived in", "lived in"), ("was working at", "was working at"), ("likes", "likes"),
     ("is", "is"), ("has", "has")],
)  # fmt: skip
def test_relations_in_other_words_are_the_same_and_the_past_is_another(
    relation: str, key: str
) -> None:
    assert relation_key(relation) == key
    assert relation_key(key) == key


@pytest.mark.parametrize(
    ("head", "relation", "tail"),
    [("Alice", "lives in", "Rome"), ("Alice", "moved to", "\u6771\u4eac"),
     ("Alice's mom", "works at", "the docks"), ("Alice's older sister", "lives in", "Lyon"),
     ("Alice", "favourite science fiction film is", "Dune"), ("Alice", "is aged", "40"),
     ("Alice's wife", "is named", "Eve")],
)  # fmt: skip
def test_a_newer_tail_ends_the_older(head: str, relation: str, tail: str) -> None:
    assert is_functional(head, relation, [tail])


@pytest.mark.parametrize(
    ("head", "relation", "tails"),
    [("Alice", "likes", ["Rome"]), ("Alice", None, []), ("Alice", "lives in", ["Rome", "Bern"]),
     ("Alice", "lives in", ["a tiny flat"]), ("Alice's friend", "lives in", ["Rome"]),
     ("Alice's dog", "is named", ["Rex"]), ("Alice's sister", "is named", ["Eve"]),
     ("Alice", "is married to", ["German"]), ("Alice", "is married to", ["my job"]),
     ("Alice", "works at", ["night"]), ("Alice", "works at", ["a living"]),
     ("Alice", "favourite part is", ["the end"]), ("Alice", "is aged", ["old enough"]),
     ("Alice", "lived in", ["Rome"])],
)  # fmt: skip
def test_what_may_hold_beside_another_ends_nothing(
    head: str, relation: str | None, tails: list[str]
) -> None:
    assert not is_functional(head, relation, tails)


def test_what_is_not_about_a_name_needs_none() -> None:
    assert fits("favourite colour is", "green")
    assert not fits("boss is", "mean")
    assert not fits("boss is", "")


def test_tails_are_the_same_if_one_says_the_other_more_exactly() -> None:
    assert is_same_tail(["a Golf"], ["a red Golf"])
    assert not is_same_tail(["a blue Golf"], ["a red Golf"])
