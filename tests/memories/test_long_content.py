"""A text longer than the embedder's window has several keys, and is one hit."""

import random

import pytest

from tests.memories import invariants
from tests.memories.helpers import Store, at

pytestmark = pytest.mark.pg

MIB = 1_048_576


def _haystack(words: int, needle: str, seed: int = 1) -> str:
    """Return many different words with one in their middle."""
    generator = random.Random(seed)
    made = [f"w{generator.randrange(10**6):06d}" for _ in range(words)]
    made[words // 2] = needle
    return " ".join(made)


@pytest.mark.parametrize("is_away", [False, True])
async def test_a_needle_in_the_middle_is_found_by_keyword_and_by_vector(
    store: Store, is_away: bool
) -> None:
    long = _haystack(900, "xylophone orchestra " * 5)
    store.embedder.failing = is_away
    stored = await store.remember(long, "It rains.", "The sun shines.")
    if is_away:
        assert stored[0]["embedding"] == "pending"
        store.embedder.failing = False
        await store.run_task("memories.embed")

    assert await store.count("memory_keys") > 6
    assert await store.by_words("xylophone") == [long]
    hits = (await store.recall("xylophone orchestra", recipe="dense", explain=True))["hits"]
    assert hits[0]["content"] == long
    # Had it one vector only, those words would be lost among 900.
    assert hits[0]["explain"]["dense"]["score"] > 0.4
    assert [hit["id"] for hit in hits].count(stored[0]["id"]) == 1
    await invariants.check(store)


async def test_its_best_key_decides_and_it_takes_one_place(store: Store) -> None:
    everywhere = "the cat " * 2_000
    await store.remember(everywhere, "A cat.", "A cat and a dog.", infer="none")

    for recipe in ("default", "lexical", "dense"):
        found = await store.found("cat", recipe=recipe, limit=3)
        assert sorted(found) == sorted([everywhere, "A cat.", "A cat and a dog."])


async def test_the_vector_is_ready_only_when_all_keys_have_theirs(store: Store) -> None:
    stored = await store.remember(_haystack(400, "needle"))
    scope = await store.scope()
    await store.rows(
        "DELETE FROM embeddings_1 WHERE owner_id = :owner_id AND key_ordinal = -1",
        owner_id=scope.owner_id,
    )

    assert (await store.read(stored[0]["id"]))["embedding"] == "pending"
    await store.run_task("memories.embed_all")
    assert (await store.read(stored[0]["id"]))["embedding"] == "ready"


async def test_edits_between_long_and_short_leave_no_key_behind(store: Store) -> None:
    stored = await store.remember("Short.", "Next.", session_id="s")
    memory_id = stored[0]["id"]

    await store.edit(memory_id, content=_haystack(600, "needle"))
    assert await store.by_words("short") == []
    assert len(await store.by_words("needle")) == 1
    await invariants.check(store)

    await store.edit(memory_id, content="Short again.")
    assert await store.count("memory_keys") == 2
    assert await store.by_words("needle") == []
    await invariants.check(store)


async def test_a_mebibyte_of_different_words_is_kept_and_found(store: Store) -> None:
    largest = _haystack(MIB // 8 - 1, "xylophone")
    assert MIB - 16 < len(largest) <= MIB
    store.embedder.failing = True  # a fake's vector of each word anew would take its time

    stored = await store.remember(largest, infer="none")

    hits = (await store.recall("xylophone", recipe="lexical"))["hits"]
    assert [hit["id"] for hit in hits] == [stored[0]["id"]]
    await store.erase(stored[0]["id"])
    for table in ("memory_keys", "postings"):
        assert await store.count(table) == 0


async def test_a_mebibyte_has_a_vector_for_every_window(store: Store) -> None:
    largest = ("lorem ipsum dolor sit amet " * (MIB // 27))[:MIB]
    largest = largest[: MIB // 2] + " xylophone " + largest[MIB // 2 + 11 :]

    stored = await store.remember(largest, infer="none")

    assert stored[0]["embedding"] == "ready"
    assert await store.count("memory_keys") == await store.count("embeddings_1") > 1_000
    assert await store.by_words("xylophone") == [largest]
    (hit,) = (await store.recall("xylophone", recipe="dense", limit=3))["hits"]
    assert hit["id"] == stored[0]["id"]


async def test_the_turn_after_a_mebibyte_is_kept_and_found(store: Store) -> None:
    largest = _haystack(MIB // 8 - 2, "xylophone") + " hamster"
    store.embedder.failing = True
    stored = await store.remember(
        {"content": largest, "occurred_at": at(0)},
        {"content": "What a long story.", "occurred_at": at(1)},
        session_id="s",
        infer="none",
    )

    assert await store.by_words("story") == ["What a long story."]
    # Its keyword key carries the end of the turn before, which it answers, and no more.
    assert "What a long story." in await store.by_words("hamster")
    assert "What a long story." not in await store.by_words("xylophone")
    rows = await store.rows(
        "SELECT cardinality(lexemes) FROM memory_keys k JOIN memories m USING (owner_id)"
        " WHERE k.ordinal = m.ordinal AND m.id = CAST(:id AS uuid)",
        id=stored[1]["id"],
    )
    assert rows[0][0] < 1_000
    await store.erase(stored[0]["id"])
    assert await store.by_words("story") == ["What a long story."]


@pytest.mark.parametrize(
    "content",
    [
        "x" * 100_000,
        " " * 5_000,
        "\n\t" * 3_000,
        "日本語" * 4_000,
        "\U0001f600" * 3_000,
        "a/b/c.d-e_f@g.h:" * 3_000,
        "https://example.com/" + "path/" * 4_000,
        "\u0301" * 4_000,
        "1" * 3_000 + ".5e" + "9" * 3_000,
        "<a href='" + "x" * 5_000 + "'>" * 50,
        "ä" * 349 + " " + "ö" * 351,
    ],
    ids=lambda content: ascii(content[:8]),
)
async def test_texts_without_words_or_spaces_are_kept_whole(store: Store, content: str) -> None:
    stored = await store.remember({"content": content, "name": "N" * 200}, "Next.", session_id="s")

    assert (await store.read(stored[0]["id"]))["content"] == content
    assert await store.by_words("next") == ["Next."]
    await store.edit(stored[0]["id"], content=content + " xylophone")
    assert content + " xylophone" in await store.by_words("xylophone")
    await invariants.check(store)
