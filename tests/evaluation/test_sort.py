"""Excerpts and segments of texts, and whether the service knows their order."""

import random

import numpy as np
import pytest

from app.evaluation.kernel.sort import (
    CHUNK,
    Excerpt,
    bins,
    body,
    chunks,
    excerpt_of,
    pairs,
    sentence_starts,
)
from app.evaluation.service import Sort, books, rows
from app.evaluation.service.sort import Cell, Score
from tests.evaluation.helpers import StoreApi
from tests.memories.helpers import Store


def _book(sentences: int) -> list[str]:
    """Return a text of sentences of eight words, most of which stand in it once."""
    generator = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = []
    for _ in range(sentences):
        said = ["".join(generator.choices(letters, k=6)) for _ in range(7)]
        words += [*said, "the."]
    return words


def test_what_publishers_add_and_headings_are_left_out() -> None:
    text = (
        "Header\n*** START OF THE PROJECT ***\nCHAPTER I\n\nIt was dark.\nIV.\nThen it dawned.\n"
        "*** END OF THE PROJECT ***\nLicence"
    )

    assert body(text) == ["It", "was", "dark.", "Then", "it", "dawned."]
    assert body("No frame.") == ["No", "frame."]


def test_sentences_begin_behind_a_mark_but_not_behind_a_title() -> None:
    words = ["He", "left.", "Mr.", "Smith", "stayed;", "why?", "Nobody", "knew"]

    assert sentence_starts(words) == [0, 2, 5, 6]


def test_bins_are_the_papers() -> None:
    assert bins(1_000, 20)[0] == (20, 250)
    assert bins(1_000, 20)[-1] == (500, 800)
    assert bins(10_000, 50)[:2] == [(50, 1_000), (1_000, 2_500)]


def test_segments_do_not_overlap_lie_in_their_bins_and_are_balanced() -> None:
    excerpt = excerpt_of("book", _book(200), 1_000, np.random.default_rng(1))
    assert excerpt is not None
    whole = " ".join(excerpt.words)

    made = list(pairs(excerpt, 20, 4, np.random.default_rng(2)))

    assert len(made) == 16
    assert sum(pair.a_first for pair in made) == 8
    for pair in made:
        least, most = bins(1_000, 20)[pair.bin]
        assert max(20, least) <= pair.distance < most
        assert (whole.index(pair.a) < whole.index(pair.b)) is pair.a_first


def test_the_same_seed_draws_the_same() -> None:
    drawn = [excerpt_of("book", _book(200), 250, np.random.default_rng(3)) for _ in range(2)]

    assert drawn[0] == drawn[1]
    assert excerpt_of("book", _book(5), 250, np.random.default_rng(3)) is None


def test_chunks_hold_every_word_once() -> None:
    words = _book(30)

    made = chunks(Excerpt("book", words))

    assert " ".join(made).split() == words
    assert all(len(chunk.split()) <= CHUNK for chunk in made)


def test_rows_tell_the_number_of_pairs() -> None:
    assert rows({Cell(250, 20, 0): Score(1.5, 2)}) == [
        {"excerpt": 250, "segment": 20, "bin": 0, "accuracy": 0.75, "n": 2}
    ]
    assert Score(0, 0).accuracy == 0


@pytest.mark.pg
async def test_order_comes_from_the_memory_and_goes_with_it(store: Store) -> None:
    text = {"tale": _book(60)}

    known = await Sort(StoreApi(store), per_bin=4).run(text, [250])
    forgotten = await Sort(StoreApi(store), per_bin=4, is_ordered=False).run(text, [250])

    assert all(score.accuracy == 1 for score in known.values())
    assert len(known) == 8
    wrong = sum(score.n - score.right for score in forgotten.values())
    asked = sum(score.n for score in forgotten.values())
    assert 0.25 < wrong / asked < 0.75
    assert (await store.get("/v1/users"))["items"] == []


def test_texts_are_read_from_a_file_or_a_directory(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("books")
    (directory / "one.txt").write_text("It was dark.")
    (directory / "two.md").write_text("It was light.")

    assert books(directory) == {"one.txt": ["It", "was", "dark."]}
    assert books(directory / "two.md") == {"two.md": ["It", "was", "light."]}
