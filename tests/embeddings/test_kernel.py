"""Windows by bytes, and vectors of unit length."""

import base64
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.embeddings import kernel

LIMIT = 40
OVERLAP = 10
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
WORDS = st.lists(st.text("abcé漢", min_size=1, max_size=8), max_size=80).map(" ".join)


@given(ANY_TEXT | WORDS)
def test_windows_cover_the_text_within_the_limit_and_overlap(text: str) -> None:
    spans = kernel.byte_windows(text, limit=LIMIT, overlap=OVERLAP).spans

    covered = {place for start, end in spans for place in range(start, end)}
    assert covered == set(range(len(text)))
    assert all(0 < len(text[start:end].encode()) <= LIMIT for start, end in spans)
    assert all(
        start < after and len(text[after:end].encode()) <= OVERLAP
        for (start, end), (after, _) in pairwise(spans)
    )


@given(WORDS)
def test_short_words_are_never_cut(text: str) -> None:
    for start, end in kernel.byte_windows(text, limit=LIMIT, overlap=OVERLAP).spans[:-1]:
        assert text[end - 1] == " ", (text[start:end], text[end:])


def test_a_text_within_the_limit_is_one_window() -> None:
    assert kernel.byte_windows("é" * 350).spans == ((0, 350),)
    assert len(kernel.byte_windows("é" * 351).spans) == 2


def test_an_empty_text_has_no_window_and_no_tokens() -> None:
    assert kernel.byte_windows("") == kernel.TextWindows(0, ())


@pytest.mark.parametrize(("limit", "overlap"), [(4, 0), (40, 20), (40, -1)])
def test_a_window_that_could_not_move_on_is_refused(limit: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="limit must be over"):
        kernel.byte_windows("text", limit=limit, overlap=overlap)


def test_only_a_text_of_few_bytes_fits_every_embedder() -> None:
    assert kernel.always_fits("a" * kernel.ALWAYS_FITS_BYTES)
    assert not kernel.always_fits("é" * kernel.ALWAYS_FITS_BYTES)


def test_vectors_are_scaled_to_unit_length_unless_they_have_it() -> None:
    scaled = kernel.unit(np.array([[3, 4], [0, 2]], np.float32))

    np.testing.assert_allclose(scaled, np.array([[0.6, 0.8], [0, 1]], np.float32))
    assert kernel.unit(scaled) is scaled


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_a_vector_without_a_direction_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="zero or not finite"):
        kernel.unit(np.array([[1, 0], [bad, bad]], np.float32))


def test_both_encodings_of_a_vector_are_read() -> None:
    packed = base64.b64encode(np.array([0.5, -2], "<f4").tobytes()).decode()

    assert kernel.decode_vector(packed).tolist() == [0.5, -2]
    assert kernel.decode_vector([0.5, -2.0]).tolist() == [0.5, -2]


@pytest.mark.parametrize("broken", ["AAA", "AAAAAAA=", "not base64!"])
def test_a_vector_that_is_not_whole_numbers_in_base64_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r"base64|buffer size"):
        kernel.decode_vector(broken)


def _some_vectors(count: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, 100)).astype(np.float32)
    found: NDArray[np.float32] = kernel.unit(vectors)
    return found


def test_the_nearest_are_those_of_a_plain_comparison() -> None:
    held, queries = _some_vectors(37, 1), _some_vectors(3, 2)
    ordinals = np.arange(100, 137, dtype=np.int32)

    found, cosines = kernel.nearest(2 * held, ordinals, queries, k=5)

    for row, near, query in zip(found, cosines, queries, strict=True):
        plain = sorted(range(37), key=lambda i: -float(held[i] @ query))[:5]
        assert row.tolist() == [100 + i for i in plain]
        assert np.allclose(near, held[plain] @ query, atol=1e-6)


def test_equally_near_vectors_come_by_ordinal() -> None:
    held = np.ones((3, 4), np.float32)

    found, _ = kernel.nearest(held, np.array([9, 3, 6], np.int32), held[:1] / np.float32(2), k=2)

    assert found.tolist() == [[3, 6]]


def test_the_nearest_by_bits_differ_least_in_sign() -> None:
    held, queries = _some_vectors(50, 3), _some_vectors(4, 4)
    ordinals = np.arange(50, dtype=np.int32)

    found = kernel.nearest_by_bits(np.packbits(held > 0, axis=1), ordinals, queries, k=7)

    for row, query in zip(found, queries, strict=True):
        differing = ((held > 0) != (query > 0)).sum(axis=1)
        assert sorted(differing[row].tolist()) == sorted(differing.tolist())[:7]
    few = kernel.nearest_by_bits(np.packbits(held > 0, axis=1), ordinals, queries, k=99)
    assert [len(row) for row in few] == [50] * 4


def test_of_equally_near_bits_the_first_are_taken() -> None:
    held = np.array([[0b0000_0011], [0b0000_0001], [0b1000_0000], [0b0000_0000]], np.uint8)
    ordinals = np.array([8, 6, 7, 5], np.int32)

    found = kernel.nearest_by_bits(held, ordinals, np.full((1, 8), -1, np.float32), k=2)

    assert [row.tolist() for row in found] == [[5, 6]]
