"""Large owners: postings skipped only where they cannot matter, neighbours from an index."""

import random
from contextlib import suppress

import pytest

from app.jobs.errors import TaskPostponedError
from app.kit.settings import RetrievalSettings
from app.memories import tasks
from app.memories.repository import covering
from app.memories.service import covering as covering_service
from tests.memories import invariants
from tests.memories.helpers import Json, Store, until_done
from tests.retrieval import naive
from tests.retrieval.helpers import random_items, recalls_with, sentence

pytestmark = pytest.mark.pg

_WEIGHTS = naive.Weights(lexical=1, dense=0)


async def _cover(store: Store, **settings: int) -> None:
    """Make or extend an owner's background indexes, as the worker would."""
    registry = store.registry()
    retrieval = RetrievalSettings.model_validate({"hnsw_from": 1, **settings})
    tasks.register_covering(registry, store.spaces, retrieval)
    context = await store.task_context()
    for name in ("memories.count_stems", "memories.extend_hnsw"):
        await until_done(registry.tasks[name], context)


async def _change(store: Store, generator: random.Random, ids: list[str]) -> None:
    """Edit, archive, restore and erase a few memories, and write some more."""
    for one in generator.sample(ids, 12):
        match generator.choice(["edit", "archive", "restore", "erase"]):
            case "edit":
                await store.edit(one, content=sentence(generator))
            case "archive":
                await store.archive(one)
                ids.remove(one)
            case "restore":
                await store.archive(one)
                await store.restore(one)
            case _:
                await store.erase(one)
                ids.remove(one)
    stored = await store.remember(*random_items(generator, 25), infer="none")
    ids += [one["id"] for one in stored]


async def _assert_best(store: Store, query: str, *, limit: int) -> None:
    """The best by keywords are those of full BM25, in its order, with its scores."""
    keys = await naive.read_keys(store)
    scores = naive.bm25(keys, await naive.stems_of(store, query), _WEIGHTS)
    expected = naive.best(keys, scores, lambda _: True)[:limit]

    asked: Json = {"recipe": "lexical", "limit": limit, "explain": True, "retention": False}
    hits = (await store.recall(query, **asked))["hits"]

    assert await naive.ordinals(store, hits) == [ordinal for ordinal, _ in expected], query
    found = [hit["explain"]["lexical"]["score"] for hit in hits]
    assert found == pytest.approx([score for _, score in expected]), query


@pytest.mark.parametrize(("seed", "budget"), [(1, 1), (2, 30), (3, 150)])
async def test_skipping_postings_never_loses_one_of_the_best(
    store: Store, seed: int, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering, "LEAST_KEYS_OF_A_STEM", 12)
    generator = random.Random(seed)
    stored = await store.remember(*random_items(generator, 220), infer="none")
    ids = [one["id"] for one in stored]
    recalls_with(store, maxscore_from=0, posting_budget=budget)
    for covered in (False, True, True):
        if covered:
            await _cover(store)
            await _change(store, generator, ids)
        for limit in (1, 5, 20):
            await _assert_best(store, sentence(generator, 1, 7), limit=limit)
            await _assert_best(store, sentence(generator, 2, 3), limit=limit)


async def test_equal_scores_at_the_edge_keep_the_oldest(store: Store) -> None:
    await store.remember(*["cat dog"] * 30, "cat", *["dog"] * 30, "cat dog dog", infer="none")
    recalls_with(store, maxscore_from=0, posting_budget=1)

    for limit in (1, 7, 30, 31, 40):
        await _assert_best(store, "cat dog", limit=limit)


async def test_counts_of_stems_follow_every_change(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering, "LEAST_KEYS_OF_A_STEM", 5)
    generator = random.Random(4)
    stored = await store.remember(*random_items(generator, 80), infer="none")
    ids = [one["id"] for one in stored]
    for _ in range(3):
        await _cover(store)
        await _change(store, generator, ids)

        assert await store.count("stem_counts") > 10
        await invariants.check(store)


async def test_an_index_of_neighbours_finds_what_the_scan_finds(fresh: Store) -> None:
    generator = random.Random(5)
    stored = await fresh.remember(*random_items(generator, 150), infer="none")
    ids = [one["id"] for one in stored]
    await fresh.rows("UPDATE embedding_models SET uses_bits = true")
    await fresh.spaces._read()
    for covered in (False, True, True):
        if covered:
            await _cover(fresh)
            await _change(fresh, generator, ids)
        await invariants.check(fresh)
        for _ in range(4):
            query = sentence(generator)
            asked: Json = {"recipe": "dense", "limit": 40, "explain": True}
            recalls_with(fresh, exact_below=100_000)
            exact = (await fresh.recall(query, **asked))["hits"]
            recalls_with(fresh, exact_below=0, hnsw_from=1)
            near = (await fresh.recall(query, **asked))["hits"]

            assert [hit["id"] for hit in near] == [hit["id"] for hit in exact]


async def test_what_was_stored_behind_the_index_is_found_beside_it(fresh: Store) -> None:
    await fresh.remember(*[f"word{n} again" for n in range(40)], infer="none")
    await fresh.rows("UPDATE embedding_models SET uses_bits = true")
    await fresh.spaces._read()
    await _cover(fresh)
    recalls_with(fresh, exact_below=0, hnsw_from=1)
    # Would anything covered be read beside the index, it were not found.
    await fresh.rows("DELETE FROM embedding_bits_1")
    await fresh.remember("Something else.", infer="none")

    assert (await fresh.by_vector("word7 again", limit=1)) == ["word7 again"]
    assert (await fresh.by_vector("Something else.", limit=1)) == ["Something else."]


async def test_a_narrowed_recall_does_not_ask_the_index(fresh: Store) -> None:
    items = [{"content": f"word{n} again", "session_id": f"s{n % 50}"} for n in range(200)]
    await fresh.remember(*items, infer="none")
    await fresh.rows("UPDATE embedding_models SET uses_bits = true")
    await fresh.spaces._read()
    await _cover(fresh)
    recalls_with(fresh, exact_below=0, hnsw_from=1)

    found = await fresh.by_vector("word7 again", session_id="s9", limit=10)

    assert sorted(found) == ["word109 again", "word159 again", "word59 again", "word9 again"]


async def test_another_owner_never_comes_out_of_the_index(fresh: Store) -> None:
    for who in ("alice", "bob"):
        await fresh.remember(*[f"{who} word{n}" for n in range(60)], user_id=who, infer="none")
    await fresh.rows("UPDATE embedding_models SET uses_bits = true")
    await fresh.spaces._read()
    await _cover(fresh)
    registry = fresh.registry()
    tasks.register_covering(registry, fresh.spaces, RetrievalSettings(hnsw_from=1))
    await until_done(registry.tasks["memories.extend_hnsw"], await fresh.task_context("bob"))
    recalls_with(fresh, exact_below=0, hnsw_from=1)

    found = await fresh.by_vector("alice word7", user_id="bob", limit=60)

    assert len(found) == 60
    assert all(one.startswith("bob") for one in found)


async def test_without_its_index_a_large_owner_is_scanned(fresh: Store) -> None:
    await fresh.remember(*[f"word{n} again" for n in range(40)], infer="none")
    await fresh.rows("UPDATE embedding_models SET uses_bits = true")
    await fresh.spaces._read()
    recalls_with(fresh, exact_below=0, hnsw_from=1)

    assert (await fresh.by_vector("word7 again", limit=1)) == ["word7 again"]


async def test_a_large_owners_write_queues_the_extension_once_a_sixteenth(
    fresh: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.memories.service.spaces.COVER_FROM", 64)
    await fresh.remember(*[f"word{n}" for n in range(60)], infer="none")
    before = await fresh.count("jobs")
    await fresh.remember(*[f"word{n}" for n in range(60, 66)], infer="none")
    after = await fresh.count("jobs")
    await fresh.remember("word66", infer="none")

    assert (before, after, await fresh.count("jobs")) == (0, 1, 1)


async def test_the_index_grows_in_slices(fresh: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covering_service, "_SLICE_S", 0)
    await fresh.remember(*[f"word{n}" for n in range(90)], infer="none")
    await fresh.rows("UPDATE embedding_models SET uses_bits = true")
    await fresh.spaces._read()
    registry = fresh.registry()
    tasks.register_covering(registry, fresh.spaces, RetrievalSettings(hnsw_from=1))
    context = await fresh.task_context()
    extend = registry.tasks["memories.extend_hnsw"]
    covered = []
    for _ in range(4):
        with suppress(TaskPostponedError):
            await extend(context)
        covered.append(await fresh.count("embedding_hnsw_1"))

    assert covered == [40, 80, 90, 90]
