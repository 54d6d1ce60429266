"""A write is never refused because a model is away; a job adds the vectors."""

import asyncio
from collections.abc import Sequence

import pytest

from app.embeddings.fake import FakeEmbedder
from app.embeddings.protocol import Vectors
from app.jobs.tasks import JobWorker
from app.kit.settings import EmbeddingSettings, Settings
from app.worker import build_registry
from tests.memories.helpers import Store, at, opened

pytestmark = pytest.mark.pg


async def test_words_are_found_by_keyword_in_the_very_next_request(store: Store) -> None:
    for is_away in (False, True):
        store.embedder.failing = is_away
        word = f"xylophone{is_away}"

        await store.remember(f"I play the {word}.")

        assert await store.by_words(word) == [f"I play the {word}."]


async def test_words_are_found_by_vector_in_the_very_next_request(store: Store) -> None:
    stored = await store.remember("I play the xylophone.", "It rains.")

    assert {one["embedding"] for one in stored} == {"ready"}
    assert (await store.by_vector("xylophone"))[0] == "I play the xylophone."


async def test_without_an_embedder_the_answer_says_pending_and_names_a_job(store: Store) -> None:
    store.embedder.failing = True

    answer = await store.write("I play the xylophone.", infer="none")

    assert answer.status_code == 201
    assert answer.json()["items"][0]["embedding"] == "pending"
    assert answer.json()["job_id"] is not None
    memory_id = answer.json()["items"][0]["id"]
    assert (await store.read(memory_id))["embedding"] == "pending"
    assert await store.by_vector("xylophone") == []


async def test_verbatim_writes_need_no_job_and_organised_ones_have_one(store: Store) -> None:
    verbatim = await store.write("One.", infer="none")
    organised = await store.write("Two.")
    known = await store.write({"content": "Two.", "client_id": "c"}, infer="none")

    assert verbatim.json()["job_id"] is None
    assert organised.json()["job_id"] is not None
    assert known.json()["job_id"] is None


async def test_a_verbatim_write_without_vectors_queues_their_task_alone(store: Store) -> None:
    store.embedder.failing = True

    answer = await store.write("I play the xylophone.", infer="none")

    job = await store.get(f"/v1/jobs/{answer.json()['job_id']}")
    assert [task["name"] for task in job["tasks"]] == ["memories.embed"]


async def test_a_repeated_item_names_the_job_of_the_first(store: Store) -> None:
    said = {"content": "Words.", "client_id": "c"}
    first = await store.write(said)

    again = await store.write(said, infer="none")

    assert again.json()["job_id"] == first.json()["job_id"]


async def test_the_job_adds_the_vectors_when_the_embedder_is_back(fresh: Store) -> None:
    fresh.embedder.failing = True
    answer = await fresh.write("I play the xylophone.", "It rains.", infer="none")
    job_id = answer.json()["job_id"]
    fresh.embedder.failing = False

    registry = build_registry(fresh.database, fresh.embedder, fresh.settings)
    await JobWorker(fresh.database, registry, fresh.settings).drain()

    rows = await fresh.rows("SELECT status, error FROM jobs WHERE id = :id", id=job_id)
    assert rows == [("succeeded", None)]
    await asyncio.sleep(0)
    assert (await fresh.by_vector("xylophone"))[0] == "I play the xylophone."
    stored = await fresh.get("/v1/memories", user_id="alice")
    assert {one["embedding"] for one in stored["items"]} == {"ready"}


async def test_an_item_that_waits_says_so_to_a_repeat_until_the_job_is_done(store: Store) -> None:
    said = {"content": "I play the xylophone.", "occurred_at": at(0)}
    store.embedder.failing = True
    await store.remember(said)
    assert (await store.remember(said))[0]["embedding"] == "pending"

    store.embedder.failing = False
    await store.run_task("memories.embed")

    assert (await store.remember(said))[0]["embedding"] == "ready"


async def test_the_job_can_run_twice_and_after_the_memory_was_erased(store: Store) -> None:
    store.embedder.failing = True
    stored = await store.remember("One.", "Two.", "Three.")
    store.embedder.failing = False
    await store.erase(stored[1]["id"])

    await store.run_task("memories.embed")
    requests = store.embedder.requests
    await store.run_task("memories.embed")

    assert store.embedder.requests == requests
    assert sorted(await store.by_vector("One")) == ["One.", "Three."]


class _SlowEmbedder(FakeEmbedder):
    async def embed(self, texts: Sequence[str]) -> Vectors:
        await asyncio.sleep(30)
        return await super().embed(texts)


async def test_a_slow_embedder_costs_a_write_its_budget_and_no_more(
    fresh: Store, settings: Settings
) -> None:
    hurried = settings.model_copy(update={"embeddings": EmbeddingSettings(write_budget_s=0.05)})
    async with opened(hurried, fresh.engine, embedder=_SlowEmbedder()) as slow:
        async with asyncio.timeout(10):
            stored = await slow.remember("I play the xylophone.")
            assert stored[0]["embedding"] == "pending"
            edited = await slow.edit(stored[0]["id"], content="I play the harp.")

        assert edited["embedding"] == "pending"
        assert await slow.by_words("harp") == ["I play the harp."]


async def test_an_edit_while_the_job_computes_is_not_overwritten_with_the_old_vector(
    fresh: Store,
) -> None:
    fresh.embedder.failing = True
    stored = await fresh.remember("I play the xylophone.")
    fresh.embedder.failing = False

    class _Meddler(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            found = await super().embed(texts)
            if "I play the xylophone." in texts:
                await fresh.edit(stored[0]["id"], content="I keep bees.")
            return found

    registry = build_registry(fresh.database, _Meddler(), fresh.settings)
    await JobWorker(fresh.database, registry, fresh.settings).drain()

    hits = (await fresh.recall("I keep bees.", recipe="dense", explain=True))["hits"]
    assert hits[0]["explain"]["dense"]["score"] == pytest.approx(1, abs=1e-3)
