"""What every embedder keeps: one suite for the fake and for the real one."""

from itertools import pairwise

import numpy as np

from app.embeddings.protocol import Embedder
from app.embeddings.service import embed, embed_query, has_tokens

TURNS = [
    "Anna moved to Lisbon in May.",
    "Anna moved to Lisbon last May.",
    "The printer is out of ink again.",
]
LONG = " ".join(f"On day {day} the crew repaired mast number {day % 7}." for day in range(200))


async def test_each_text_has_one_unit_vector_in_order(embedder: Embedder) -> None:
    texts = [f"{turn} ({number})" for number in range(7) for turn in TURNS]

    vectors = await embedder.embed(texts)

    assert vectors.shape[0] == len(texts)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    for place in (0, 8, 20):
        alone = await embedder.embed_query(texts[place])
        assert alone @ vectors[place] > 0.9999


async def test_a_query_has_the_vector_of_the_same_text(embedder: Embedder) -> None:
    query = await embedder.embed_query(TURNS[0])

    assert query.ndim == 1
    assert query @ (await embedder.embed(TURNS[:1]))[0] > 0.9999


async def test_like_texts_are_nearer_than_unlike_ones(embedder: Embedder) -> None:
    vectors = await embedder.embed(TURNS)

    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


async def test_tokens_come_with_the_same_vectors(embedder: Embedder) -> None:
    found = await embed(embedder, TURNS)

    np.testing.assert_allclose(found.vectors, await embedder.embed(TURNS), atol=1e-5)
    assert has_tokens(embedder)
    assert found.tokens is not None
    assert [one.dtype for one in found.tokens] == [np.uint8] * len(TURNS)
    assert {one.shape[1] for one in found.tokens} == {found.vectors.shape[1] // 8}
    assert all(len(one) >= len(turn.split()) for one, turn in zip(found.tokens, TURNS, strict=True))


async def test_a_query_has_the_tokens_of_the_same_text(embedder: Embedder) -> None:
    query, stored = await embed_query(embedder, TURNS[0]), await embed(embedder, TURNS)

    assert query.tokens is not None
    assert stored.tokens is not None
    # A batch may round the last bit of a number differently: a sign of one near 0 may turn.
    assert np.bitwise_count(query.tokens[0] ^ stored.tokens[0]).mean() < 0.1


async def test_no_texts_have_no_vectors(embedder: Embedder) -> None:
    assert len(await embedder.embed([])) == 0
    assert await embedder.windows([]) == []


async def test_a_short_text_is_one_window_of_all_of_it(embedder: Embedder) -> None:
    (windows,) = await embedder.windows([TURNS[0]])

    assert windows.spans == ((0, len(TURNS[0])),)
    assert 5 <= windows.tokens <= 20


async def test_windows_of_a_long_text_cover_it_and_overlap(embedder: Embedder) -> None:
    (windows,) = await embedder.windows([LONG])

    assert len(windows.spans) > 3
    assert windows.spans[0][0] == 0
    assert windows.spans[-1][1] == len(LONG)
    assert all(first[1] > second[0] > first[0] for first, second in pairwise(windows.spans))
    assert windows.tokens > 1_000


async def test_every_window_is_read_to_its_end(embedder: Embedder) -> None:
    (windows,) = await embedder.windows([LONG])
    start, end = windows.spans[0]

    whole, changed = await embedder.embed([LONG[start:end], f"{LONG[start : end - 20]} penguins!"])

    assert whole @ changed < 0.99999


async def test_counts_and_windows_keep_the_order_of_the_texts(embedder: Embedder) -> None:
    counts = [row.tokens for row in await embedder.windows(["one", LONG, "", "one two three four"])]

    assert counts[1] > counts[3] > counts[0] > counts[2] == 0
