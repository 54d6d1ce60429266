"""The one statement against a plain Python reference, on random stores."""

import random
from typing import Any

import pytest

from tests.memories.helpers import Json, Sent, Store
from tests.retrieval import naive
from tests.retrieval.helpers import random_items, recalls_with, sentence

pytestmark = pytest.mark.pg


async def _filled(store: Store, seed: int, number: int = 120) -> random.Random:
    """Fill a store, and edit, archive and erase a little, so that ordinals have gaps."""
    generator = random.Random(seed)
    stored = await store.remember(*random_items(generator, number), infer="none")
    for one in generator.sample(stored, 9):
        change = generator.choice(["edit", "archive", "erase"])
        if change == "edit":
            await store.edit(one["id"], content=sentence(generator))
        else:
            await (store.archive if change == "archive" else store.erase)(one["id"])
    return generator


async def _assert_same(store: Store, query: str, expected: naive.Ranked, **more: Sent) -> None:
    # The reference knows no retention: it ranks as if all was retained.
    asked = {"limit": len(expected) or 1, "retention": False, **more}
    hits: list[Json] = (await store.recall(query, recipe="fused", **asked))["hits"]

    assert await naive.ordinals(store, hits) == [ordinal for ordinal, _ in expected], query
    scores = [hit["score"] for hit in hits]
    assert scores == pytest.approx([score for _, score in expected], abs=1e-9), query


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_recall_finds_what_the_reference_finds_in_the_same_order(
    store: Store, seed: int
) -> None:
    generator = await _filled(store, seed)

    for _ in range(6):
        query = sentence(generator, 1, 8)
        await _assert_same(store, query, await naive.recall(store, query, limit=40))


async def test_a_whole_small_store_comes_back_in_the_references_order(store: Store) -> None:
    generator = await _filled(store, 4, number=60)
    query = sentence(generator)

    await _assert_same(store, query, await naive.recall(store, query, limit=200))


async def test_other_settings_give_the_references_order_for_them(store: Store) -> None:
    generator = await _filled(store, 5)
    weights = naive.Weights(k1=0.9, b=0.3, lexical=0.5, dense=1.5, rrf_k=10, depth=20)
    recalls_with(
        store, bm25_k1=0.9, bm25_b=0.3, lexical_weight=0.5, dense_weight=1.5, rrf_k=10, depth=20
    )

    for _ in range(3):
        query = sentence(generator)
        expected = await naive.recall(store, query, limit=15, weights=weights)
        await _assert_same(store, query, expected)


async def test_filters_narrow_both_arms_before_they_are_cut(store: Store) -> None:
    generator = await _filled(store, 6, number=150)
    recalls_with(store, depth=8)
    scope = await store.scope()
    rows = await store.rows(
        "SELECT ordinal FROM memories WHERE owner_id = :owner_id AND session_id = 's1'",
        owner_id=scope.owner_id,
    )
    in_session = {row[0] for row in rows}

    for _ in range(3):
        query = sentence(generator)
        expected = await naive.recall(
            store,
            query,
            limit=8,
            weights=naive.Weights(depth=8),
            passes=lambda ordinal: ordinal in in_session,
        )
        assert len(expected) == 8
        await _assert_same(store, query, expected, session_id="s1")


async def _bits(store: Store, *, uses: bool) -> None:
    """Let the model be searched by its bits, or not, whatever the check would say."""
    await store.rows("UPDATE embedding_models SET uses_bits = :uses", uses=uses)
    await store.spaces._read()


async def test_the_bit_path_with_enough_candidates_is_the_exact_path(fresh: Store) -> None:
    generator = await _filled(fresh, 7)
    recalls_with(fresh, exact_below=0, bit_candidates=10_000)
    await _bits(fresh, uses=True)

    for _ in range(4):
        query = sentence(generator)
        await _assert_same(fresh, query, await naive.recall(fresh, query, limit=30))


async def test_the_bit_path_ranks_what_it_finds_by_exact_distance(fresh: Store) -> None:
    generator = await _filled(fresh, 8, number=400)
    recalls_with(fresh, exact_below=0, bit_candidates=1, depth=20)
    await _bits(fresh, uses=True)
    query = sentence(generator)

    hits = (await fresh.recall(query, recipe="dense", limit=20, explain=True))["hits"]

    vector = (await fresh.embedder.embed_query(query)).astype("f2").astype("f8")
    keys = await naive.read_keys(fresh)
    exact = {ordinal: -one for ordinal, one in naive.distances(keys, vector).items()}
    nearest = dict(naive.best(keys, exact, lambda _: True))
    found = [hit["explain"]["dense"]["score"] for hit in hits]
    assert found == sorted(found, reverse=True)
    for ordinal, score in zip(await naive.ordinals(fresh, hits), found, strict=True):
        assert score <= 1 + nearest[ordinal] + 1e-5


async def test_a_small_posting_budget_gives_the_same_best_hits(store: Store) -> None:
    generator = await _filled(store, 9, number=200)
    for _ in range(5):
        query = sentence(generator, 2, 5)
        recalls_with(store)
        full = await store.recall(query, recipe="lexical", limit=5, explain=True)
        recalls_with(store, posting_budget=40)
        small = await store.recall(query, recipe="lexical", limit=5, explain=True)

        # The rarest word leads: whoever has it is found, with the whole score.
        scores = {hit["id"]: hit["explain"]["lexical"]["score"] for hit in full["hits"]}
        for hit in small["hits"]:
            if hit["id"] in scores:
                score = hit["explain"]["lexical"]["score"]
                assert score == pytest.approx(scores[hit["id"]])
        assert small["hits"][0]["explain"]["lexical"]["score"] <= max(scores.values()) + 1e-9


async def test_within_the_posting_budget_the_order_is_that_of_full_bm25(store: Store) -> None:
    generator = await _filled(store, 10)
    weights = naive.Weights(lexical=1, dense=0)
    keys = await naive.read_keys(store)
    for _ in range(4):
        query = sentence(generator, 2, 6)
        scores = naive.bm25(keys, await naive.stems_of(store, query), weights)
        expected = naive.best(keys, scores, lambda _: True)[:50]

        hits = (await store.recall(query, recipe="lexical", limit=50, explain=True))["hits"]

        assert await naive.ordinals(store, hits) == [ordinal for ordinal, _ in expected]
        found = [hit["explain"]["lexical"]["score"] for hit in hits]
        assert found == pytest.approx([score for _, score in expected])


async def test_the_same_question_twice_has_the_same_answer(store: Store) -> None:
    generator = await _filled(store, 11)
    await store.remember(*["The very same words."] * 30, infer="none")
    for query in ("the very same words", sentence(generator)):
        asked: dict[str, Any] = {"limit": 50, "explain": True, "retention": False}
        answers = [await store.recall(query, **asked) for _ in range(8)]
        assert all(answer["hits"] == answers[0]["hits"] for answer in answers)


async def test_equal_memories_come_in_the_order_they_were_written(store: Store) -> None:
    stored = await store.remember(*["The very same words."] * 12, infer="none")

    hits = (await store.recall("very same words", limit=12))["hits"]

    assert [hit["id"] for hit in hits] == [one["id"] for one in stored]
