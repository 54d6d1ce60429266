"""What a recall answers, and what it never does."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.embeddings.fake import FakeEmbedder
from app.embeddings.protocol import Vectors
from app.kit.settings import Settings
from tests.api import code_of, new_tenant, with_key
from tests.memories.helpers import Store, at, opened
from tests.retrieval.helpers import recalls_with

pytestmark = pytest.mark.pg


async def test_an_unknown_owner_remembers_nothing_and_that_is_no_error(store: Store) -> None:
    await store.remember("cat")

    recalled = await store.recall("cat", user_id="nobody")

    assert recalled["hits"] == []
    assert recalled["degraded"] == []
    assert await store.rows("SELECT FROM owners WHERE external_id = 'nobody'") == []


async def test_another_tenants_user_of_the_same_name_is_another_user(store: Store) -> None:
    await store.remember("cat")
    _, key = await new_tenant(store.client)
    store.client.headers.update(with_key(key))

    assert await store.found("cat") == []


async def test_somebody_must_be_named(store: Store) -> None:
    for route in ("recall", "context"):
        answer = await store.send("POST", f"/v1/{route}", {"query": "cat"})
        assert (answer.status_code, code_of(answer)) == (422, "owner-required")


async def test_a_hit_shows_the_memory_as_it_is_held(store: Store) -> None:
    said = {
        "content": "The cat sleeps.",
        "role": "user",
        "name": "Alice",
        "kind": "fact",
        "session_id": "s",
        "place": "home",
        "occurred_at": at(0),
        "metadata": {"n": [1, {"x": None}]},
    }
    stored = (await store.remember(said, agent_id="helper"))[0]

    hit = (await store.recall("cat"))["hits"][0]

    assert hit["id"] == stored["id"]
    assert {name: hit[name] for name in said if name != "occurred_at"} == {
        name: value for name, value in said.items() if name != "occurred_at"
    }
    assert datetime.fromisoformat(hit["occurred_at"]) == datetime.fromisoformat(at(0))
    assert hit["agent_id"] == "helper"
    assert hit["score"] == 1
    assert hit["source_episode_ids"] is None
    assert hit["explain"] is None


async def test_sources_are_shown_when_asked_for(store: Store) -> None:
    stored = await store.remember("cat one", "cat two")

    hits = (await store.recall("cat", include=["sources"]))["hits"]

    assert [hit["source_episode_ids"] for hit in hits] == [[one["id"]] for one in stored]


async def test_limit_is_kept_up_to_200(store: Store) -> None:
    await store.remember(*[f"cat number {n}" for n in range(230)], infer="none")

    assert len(await store.found("cat")) == 10
    for limit in (1, 7, 200):
        assert len(await store.found("cat", limit=limit)) == limit


async def test_a_smaller_limit_shows_the_head_of_a_larger_one(store: Store) -> None:
    words = ["cat", "cat dog", "dog", "cat cat", "bird cat dog", "tree", "the cat and the tree"]
    await store.remember(*[f"{word} {n}" for n in range(9) for word in words], infer="none")
    everything = await store.found("cat dog", limit=60)

    for limit in (1, 5, 20):
        assert await store.found("cat dog", limit=limit) == everything[:limit]


async def test_explain_says_what_each_arm_thought_and_the_score_follows(store: Store) -> None:
    await store.remember("grey cat", "grey dog", "brown dog", "green tree", infer="none")

    hits = (await store.recall("grey cat", explain=True))["hits"]

    settings = store.settings.retrieval
    best = (settings.lexical_weight + settings.dense_weight) / (settings.rrf_k + 1)
    for hit in hits:
        explained = hit["explain"]
        score = 0.0
        for arm, weight in (
            ("lexical", settings.lexical_weight),
            ("dense", settings.dense_weight),
        ):
            if explained[arm] is not None:
                score += weight / (settings.rrf_k + explained[arm]["rank"])
        assert explained["fused"] == pytest.approx(score / best)
        assert hit["score"] == pytest.approx(explained["relevance"] * explained["factor"])
    assert hits[0]["content"] == "grey cat"
    assert hits[0]["explain"]["lexical"]["rank"] == hits[0]["explain"]["dense"]["rank"] == 1
    assert hits[0]["explain"]["dense"]["score"] == pytest.approx(1, abs=1e-3)
    assert hits[0]["explain"]["lexical"]["score"] > hits[1]["explain"]["lexical"]["score"] > 0
    unmatched = next(hit for hit in hits if hit["content"] == "green tree")
    assert unmatched["explain"]["lexical"] is None
    ranks = [hit["explain"]["dense"]["rank"] for hit in hits]
    assert sorted(ranks) == [1, 2, 3, 4]


async def test_a_recipe_of_one_arm_uses_only_that_one(store: Store) -> None:
    await store.remember("grey cat", "brown dog", infer="none")
    store.embedder.failing = True
    await store.remember("cat without vector", infer="none")
    store.embedder.failing = False

    asked: dict[str, Any] = {"explain": True, "retention": False}
    lexical = await store.recall("cat", recipe="lexical", **asked)
    dense = await store.recall("cat", recipe="dense", **asked)

    assert {hit["content"] for hit in lexical["hits"]} == {"grey cat", "cat without vector"}
    assert all(hit["explain"]["dense"] is None for hit in lexical["hits"])
    assert [hit["content"] for hit in dense["hits"]] == ["grey cat", "brown dog"]
    assert dense["hits"][0]["score"] == lexical["hits"][0]["score"] == 1


async def test_scores_stay_within_0_and_1_whatever_the_weights(store: Store) -> None:
    await store.remember("grey cat", "brown dog", infer="none")
    for lexical, dense, rrf_k in ((0.1, 4.058512184496567, 10), (0, 1, 60), (1, 0, 1), (3, 7, 9)):
        recalls_with(store, lexical_weight=lexical, dense_weight=dense, rrf_k=rrf_k)
        for recipe in ("default", "lexical", "dense"):
            hits = (await store.recall("grey cat", recipe=recipe, retention=False))["hits"]
            assert hits[0]["score"] == pytest.approx(1)
            assert all(0 < hit["score"] <= 1 for hit in hits)


async def test_min_score_leaves_out_what_scores_less(store: Store) -> None:
    await store.remember("grey cat", "grey dog", "brown dog", "green tree", infer="none")
    hits = (await store.recall("grey cat", retention=False))["hits"]
    scores = [hit["score"] for hit in hits]
    assert len(set(scores)) == 4

    for least in (0, scores[2], scores[1], 0.999, 1):
        hits = (await store.recall("grey cat", min_score=least, retention=False))["hits"]
        assert [hit["score"] for hit in hits] == [one for one in scores if one >= least]


async def test_a_question_of_stop_words_alone_goes_by_vector(store: Store) -> None:
    await store.remember("The cat sleeps.")

    assert await store.by_words("what is the") == []
    assert await store.found("what is the") == ["The cat sleeps."]


async def test_words_are_found_in_any_of_their_forms(store: Store) -> None:
    await store.remember("I was running through three forests.")

    for query in ("run", "RUNS", "forest?", "runner's forests"):
        assert len(await store.by_words(query)) == 1, query
    assert await store.by_words("walked") == []


async def test_a_turn_is_found_by_its_speaker_its_date_and_the_turn_before(store: Store) -> None:
    await store.remember(
        {"content": "How is the hamster?", "name": "Bob", "occurred_at": at(0)},
        {"content": "She sleeps all day.", "name": "Alice", "occurred_at": at(1)},
        session_id="s",
    )

    assert await store.by_words("Alice") == ["She sleeps all day."]
    assert set(await store.by_words("hamster")) == {"How is the hamster?", "She sleeps all day."}
    assert len(await store.by_words("January 2026")) == 2
    assert (await store.by_words("Bob"))[0] == "How is the hamster?"


async def test_the_turn_before_is_the_sessions_own(store: Store) -> None:
    await store.remember({"content": "Hamster.", "session_id": "s1"})
    await store.remember({"content": "Unrelated.", "session_id": "s2"}, "Also unrelated.")
    await store.remember({"content": "She sleeps.", "session_id": "s1"})

    assert set(await store.by_words("hamster")) == {"Hamster.", "She sleeps."}


class _MoodyEmbedder(FakeEmbedder):
    """Answers writes at once, and questions late."""

    async def embed_query(self, text: str) -> Vectors:
        await asyncio.sleep(5)
        return await super().embed_query(text)


async def test_without_the_embedder_keywords_decide_and_the_answer_says_so(store: Store) -> None:
    await store.remember("The cat sleeps.", "It rains.")
    store.embedder.failing = True

    recalled = await store.recall("cat")

    assert recalled["degraded"] == ["dense"]
    assert [hit["content"] for hit in recalled["hits"]] == ["The cat sleeps."]
    assert (await store.recall("cat", recipe="lexical"))["degraded"] == []
    dense = await store.recall("cat", recipe="dense")
    assert (dense["hits"], dense["degraded"]) == ([], ["dense"])


async def test_where_no_vector_was_ever_made_the_answer_says_so(fresh: Store) -> None:
    assert (await fresh.recall("cat"))["degraded"] == []
    fresh.embedder.failing = True
    await fresh.remember("The cat sleeps.")

    recalled = await fresh.recall("cat")

    assert [hit["content"] for hit in recalled["hits"]] == ["The cat sleeps."]
    assert recalled["degraded"] == ["dense"]
    assert (await fresh.recall("cat", recipe="lexical"))["degraded"] == []


async def test_a_deadline_gives_up_the_dense_arm(fresh: Store, settings: Settings) -> None:
    async with opened(settings, fresh.engine, embedder=_MoodyEmbedder()) as store:
        await store.remember("The cat sleeps.")
        async with asyncio.timeout(4):
            recalled = await store.recall("cat", deadline_ms=50)

    assert recalled["degraded"] == ["dense"]
    assert [hit["content"] for hit in recalled["hits"]] == ["The cat sleeps."]


async def test_an_embedder_with_other_dimensions_is_left_out(store: Store) -> None:
    await store.remember("The cat sleeps.")
    store.embedder.dimensions = 7

    recalled = await store.recall("cat")

    assert recalled["degraded"] == ["dense"]
    assert [hit["content"] for hit in recalled["hits"]] == ["The cat sleeps."]


async def test_the_archived_and_the_expired_never_come_back_by_any_arm(store: Store) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    stored = await store.remember(
        "cat alive",
        "cat archived",
        {"content": "cat expired", "expires_at": past},
        {"content": "cat expires soon", "expires_at": soon},
    )
    await store.archive(stored[1]["id"])

    for recipe in ("default", "lexical", "dense"):
        for more in ({}, {"filters": {"kind": {"eq": "episode"}}}):
            found = await store.found("cat", recipe=recipe, **more)
            assert sorted(found) == ["cat alive", "cat expires soon"]


async def test_what_has_expired_takes_no_place_from_what_has_not(store: Store) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    recalls_with(store, depth=3)
    many = [{"content": f"cat {n}", "expires_at": past} for n in range(20)]
    long = {"content": "cat " * 2_000, "expires_at": past}
    await store.remember(*many, long, "the cat that has not expired", infer="none")

    for recipe in ("default", "lexical", "dense"):
        for more in ({}, {"kinds": ["episode"]}):
            found = await store.found("cat", recipe=recipe, limit=1, **more)
            assert found == ["the cat that has not expired"]


async def test_recalls_side_by_side_with_writes_are_all_answered(store: Store) -> None:
    await store.remember("cat zero")

    async def writes() -> None:
        for number in range(12):
            await store.remember(f"cat {number}", infer="none")

    async def recalls() -> list[int]:
        return [len(await store.found("cat", limit=50)) for _ in range(20)]

    counts, _ = await asyncio.gather(recalls(), writes())
    assert counts == sorted(counts)
    assert len(await store.found("cat", limit=50)) == 13


async def test_the_answer_says_how_long_it_took_and_under_which_id(store: Store) -> None:
    first, second = await store.recall("cat"), await store.recall("cat")

    assert first["took_ms"] > 0
    assert first["recall_id"] != second["recall_id"]


class _Slow(FakeEmbedder):
    """Answers a query only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    async def embed_query(self, text: str) -> Vectors:
        await self.told.wait()
        return await super().embed_query(text)


async def test_a_slow_embedder_keeps_no_connection_from_others(
    settings: Settings, owner_engine: AsyncEngine
) -> None:
    pool = settings.database.model_copy(update={"pool_size": 2, "pool_timeout_s": 1})
    scarce = settings.model_copy(update={"database": pool})
    slow = _Slow()
    async with opened(scarce, owner_engine, embedder=slow) as store:
        await store.remember("a cat", "a dog")
        waiting = [asyncio.create_task(store.recall("cat")) for _ in range(5)]
        await asyncio.sleep(0.3)

        assert len((await store.get("/v1/memories", user_id="alice"))["items"]) == 2
        slow.told.set()
        recalled = await asyncio.gather(*waiting)

    assert [one["hits"][0]["content"] for one in recalled] == ["a cat"] * 5
    assert all(one["degraded"] == [] for one in recalled)
