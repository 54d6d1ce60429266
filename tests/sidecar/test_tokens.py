"""Token ids, counts and windows of the real tokeniser."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.embeddings import kernel
from app.sidecar.encoders.onnx import OnnxEncoder
from app.sidecar.tokens import TextTokenizer

CLS, SEP, UNKNOWN = 101, 102, 100
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
WORDS = st.lists(st.sampled_from(["a", "memory", "Zürich", "한국어", "x" * 60, "…", "\n"]))


@pytest.fixture(scope="session")
def tokenizer(encoder: OnnxEncoder) -> TextTokenizer:
    return encoder.tokenizer


def test_ids_are_those_of_the_published_vocabulary(tokenizer: TextTokenizer) -> None:
    assert tokenizer.ids(["Hello, world!"]) == [[CLS, 7592, 1010, 2088, 999, SEP]]


def test_a_long_text_is_cut_at_the_models_window(tokenizer: TextTokenizer) -> None:
    (ids,) = tokenizer.ids(["word " * 1_000])

    assert len(ids) == tokenizer.max_tokens == 256
    assert (ids[0], ids[-1]) == (CLS, SEP)


@settings(deadline=None)
@given(ANY_TEXT | WORDS.map(" ".join))
def test_each_window_fits_and_all_of_them_cover_the_text(
    tokenizer: TextTokenizer, text: str
) -> None:
    found = tokenizer.windows(text, size=16, overlap=4)

    covered = {place for start, end in found.spans for place in range(start, end)}
    assert covered == set(range(len(text)))
    assert all(len(tokenizer.ids([text[s:e]])[0]) - 2 <= 16 for s, e in found.spans if e - s > 1)
    assert found.spans == sorted(set(found.spans))


def test_neighbouring_windows_share_the_overlap_and_cut_between_words(
    tokenizer: TextTokenizer,
) -> None:
    text = " ".join(f"word{number}" for number in range(300))
    spans = tokenizer.windows(text, size=254, overlap=32).spans

    shared = [text[after:end] for (_, end), (after, _) in pairwise(spans)]
    assert len(spans) > 2
    assert all(28 <= len(tokenizer.ids([part])[0]) - 2 <= 36 for part in shared)
    assert all(text[start] == "w" for start, _ in spans)
    assert all(text[end - 1] == " " for _, end in spans[:-1])


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("   ", 0), ("Hello, world!", 4)])
def test_tokens_are_counted_without_specials(
    tokenizer: TextTokenizer, text: str, tokens: int
) -> None:
    found = tokenizer.windows(text, size=254, overlap=32)

    assert found.tokens == tokens
    assert found.spans == ([(0, len(text))] if text else [])


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=250).filter(kernel.always_fits))
def test_what_always_fits_by_its_bytes_fits_this_model(tokenizer: TextTokenizer, text: str) -> None:
    assert tokenizer.windows(text, size=tokenizer.window, overlap=0).tokens <= tokenizer.window
