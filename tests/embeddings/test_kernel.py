"""Windows by bytes, and vectors of unit length."""

import base64
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
