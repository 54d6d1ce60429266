"""Notes and links without a language model."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.linking.kernel import links, notes
from app.linking.kernel.links import Near
from app.linking.kernel.notes import Note, Term


def _words(text: str) -> list[tuple[str, str]]:
    return [(word, word.lower().rstrip("s")) for word in text.split()]


def test_terms_are_counted_by_stem_and_shown_as_they_stand_first() -> None:
    terms = notes.counted(_words("Cats chase cat toys"), {"cat": 7})

    assert terms == [Term("Cats", "cat", 2, 7), Term("chase", "chase", 1, 1),
                     Term("toys", "toy", 1, 1)]  # fmt: skip


def test_rare_words_come_before_common_ones() -> None:
    terms = [Term("went", "went", 1, 90), Term("violin", "violin", 1, 1)]

    assert notes.keywords(terms, frozenset(), keys=100) == ("violin", "went")


def test_keywords_hold_no_names_no_dates_and_no_numbers() -> None:
    said = "Mel bought 3 kayaks on Monday 2023-05-08 at 7pm in May"
    terms = notes.counted([(word, word.lower()) for word in said.split()], {})

    found = notes.keywords(terms, frozenset({"mel"}), keys=10)

    assert set(found) == {"bought", "kayaks", "on", "at", "in"}


def test_the_context_is_the_first_sentence_that_informs() -> None:
    said = [("Hey Mel!", 1), ("How was the long trip home?", 4), ("I adopted a grey cat.", 4)]

    assert notes.context(said) == "I adopted a grey cat."


def test_without_an_informative_sentence_the_fullest_is_the_context() -> None:
    assert notes.context([("Hi!", 0), ("Cats?", 1)]) == "Cats?"
    assert notes.context([]) == ""


def test_a_long_context_is_cut_at_a_word() -> None:
    found = notes.context([("word " * 200, 200)])

    assert len(found) <= notes.CONTEXT_CHARACTERS + 1
    assert found.endswith("word…")


def test_tags_are_the_labels_near_the_vector() -> None:
    labels = np.eye(3, dtype=np.float32)
    vectors = np.array([[0.9, 0.3, 0.1], [0.1, 0.1, 0.1]], np.float32)

    assert notes.tags(vectors, labels, ["pets", "home", "food"]) == [("pets", "home"), ()]


def test_the_notes_text_holds_content_keywords_tags_and_context() -> None:
    note = Note(("cat",), ("pets",), "About a cat.")

    assert notes.text("Miso sleeps.", note) == "Miso sleeps.\ncat\npets\nAbout a cat."


def test_a_context_taken_from_the_content_is_not_said_twice() -> None:
    note = Note(("cat",), (), "Miso sleeps.")

    assert notes.text("Miso sleeps. A lot.", note) == "Miso sleeps. A lot.\ncat"


def test_the_digest_tells_content_and_speaker_apart() -> None:
    assert notes.digest("a", "b") == notes.digest("a", "b")
    assert len({notes.digest("a", "b"), notes.digest("b", "a"), notes.digest("a", None)}) == 3


def test_only_near_notes_are_neighbours_and_never_the_note_itself() -> None:
    found = [Near(1, 1.0), Near(2, 0.6), Near(3, 0.9), Near(4, 0.4), Near(5, 0.7)]

    assert links.nearest(found, own=1, k=2, least=0.5) == (Near(3, 0.9), Near(5, 0.7))


def test_a_newcomer_displaces_the_farthest_neighbour() -> None:
    held = (Near(1, 0.9), Near(2, 0.6))

    assert links.with_neighbour(held, Near(3, 0.7), k=2) == (Near(1, 0.9), Near(3, 0.7))
    assert links.with_neighbour(held, Near(3, 0.5), k=2) == held
    assert links.with_neighbour(held, Near(1, 0.5), k=2) == (Near(2, 0.6), Near(1, 0.5))


@given(
    st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), max_size=8),
    st.integers(1, 9),
    st.integers(1, 5),
)
def test_neighbours_are_few_sorted_and_distinct(
    came: list[tuple[int, float]], own: int, k: int
) -> None:
    held: tuple[Near, ...] = ()
    for one in came:
        held = links.with_neighbour(held, Near(*one), k=k)

    ordinals = [one.ordinal for one in held]
    assert len(held) <= k
    assert len(set(ordinals)) == len(ordinals)
    assert [one.cosine for one in held] == sorted((one.cosine for one in held), reverse=True)
    assert all(one.ordinal != own for one in links.nearest(held, own=own, k=k, least=0))


@given(st.integers(1, 99), st.integers(1, 99))
def test_a_link_points_from_the_later_memory_to_the_earlier(one: int, other: int) -> None:
    assert links.ends(one, other) == links.ends(other, one)
    assert links.ends(one, other)[0] >= links.ends(one, other)[1]


def test_the_reason_names_shared_keywords() -> None:
    assert links.reason(["cat", "miso"], ["miso", "vet", "cat"]) == "both about cat, miso"
    assert links.reason(["cat"], ["dog"]) == "near in meaning"


def test_tags_of_linked_notes_are_joined_by_frequency() -> None:
    found = links.strengthened(["pets", "home"], [["health", "pets"], ["health", "money"]])

    assert found == ("pets", "health", "home", "money")


def test_a_note_without_links_keeps_its_tags() -> None:
    assert links.strengthened(["pets", "home"], []) == ("pets", "home")
