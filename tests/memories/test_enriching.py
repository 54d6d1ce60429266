"""How mechanisms follow memories: new ones, changed ones, each once, fairly."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.jobs.errors import TaskPostponedError
from app.memories import service as memories
from app.memories.schemas import DerivedMemory
from app.memories.service import Batch, enriching
from app.tenants.policies import Mechanisms
from tests.memories.helpers import Store, at

pytestmark = pytest.mark.pg
_WHEN = datetime(2026, 2, 1, tzinfo=UTC)


class Follower:
    """A mechanism that notes what it was shown."""

    def __init__(self, store: Store, *, batch: int = 2) -> None:
        self.store, self.batch = store, batch
        self.seen: list[list[str]] = []
        self.fresh: list[frozenset[int]] = []

    async def work(self, batch: Batch) -> None:
        self.seen.append([memory.content for memory in batch.memories])
        async with batch.writing() as (_, fresh):
            self.fresh.append(fresh)

    async def run(self, *, is_on: bool = True) -> None:
        context = await self.store.task_context()

        def allowed(mechanisms: Mechanisms) -> bool:
            return is_on and mechanisms.linking

        await memories.enrich(context, "test", self.work, is_on=allowed, batch=self.batch)

    def all(self) -> list[str]:
        return [content for batch in self.seen for content in batch]


async def test_new_memories_come_once_and_in_order(store: Store) -> None:
    await store.remember("one", "two", "three")
    follower = Follower(store)

    await follower.run()
    await follower.run()
    await store.remember("four")
    await follower.run()

    assert follower.all() == ["one", "two", "three", "four"]
    assert follower.seen[0] == ["one", "two"]


async def test_changed_memories_come_again_and_others_do_not(store: Store) -> None:
    stored = await store.remember("one", "two", "three")
    follower = Follower(store, batch=10)
    await follower.run()
    follower.seen.clear()

    await store.edit(stored[0]["id"], content="one and a half")
    await store.edit(stored[1]["id"], pinned=True)  # nothing that is made of it depends on that
    await store.archive(stored[2]["id"])
    await follower.run()
    await follower.run()

    assert follower.all() == ["one and a half", "three"]


async def test_a_memory_that_changes_while_it_is_worked_on_is_not_fresh(store: Store) -> None:
    stored = await store.remember("one", "two")
    follower = Follower(store, batch=10)
    calm = follower.work

    async def work(batch: Batch) -> None:
        await store.edit(stored[0]["id"], content="changed meanwhile")
        await calm(batch)

    follower.work = work  # type: ignore[method-assign]
    await follower.run()
    follower.work = calm  # type: ignore[method-assign]
    await follower.run()

    assert [len(fresh) for fresh in follower.fresh] == [1, 1]
    assert follower.all() == ["one", "two", "changed meanwhile"]


async def test_what_is_stored_without_inference_stays_verbatim(store: Store) -> None:
    await store.remember("keep this as it is", infer="none")
    await store.remember("make something of this")
    follower = Follower(store)

    await follower.run()

    assert follower.all() == ["make something of this"]


async def test_a_mechanism_that_is_off_sees_nothing_until_it_is_on(store: Store) -> None:
    await store.remember("one")
    follower = Follower(store)

    await follower.run(is_on=False)
    assert follower.all() == []
    await follower.run()

    assert follower.all() == ["one"]


async def test_an_error_leaves_the_batch_for_the_next_run(store: Store) -> None:
    await store.remember("one")
    follower = Follower(store)
    calm = follower.work

    async def fail(batch: Batch) -> None:
        async with batch.writing():
            msg = "no"
            raise RuntimeError(msg)

    follower.work = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await follower.run()
    follower.work = calm  # type: ignore[method-assign]
    await follower.run()

    assert follower.all() == ["one"]


async def test_a_memory_that_always_fails_keeps_nothing_from_the_others(store: Store) -> None:
    await store.remember("one", "bad", "three", "four")
    follower = Follower(store, batch=3)
    calm = follower.work

    async def work(batch: Batch) -> None:
        if any(memory.content == "bad" for memory in batch.memories):
            msg = "bad"
            raise RuntimeError(msg)
        await calm(batch)

    follower.work = work  # type: ignore[method-assign]
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await follower.run()
    assert sorted(follower.all()) == ["four", "one", "three"]
    follower.work = calm  # type: ignore[method-assign]
    await follower.run()

    assert sorted(follower.all()) == ["bad", "four", "one", "three"]


async def test_a_busy_owner_stands_in_line_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enriching, "MOST", 4)
    await store.remember(*(f"turn {number}" for number in range(6)))
    follower = Follower(store)

    with pytest.raises(TaskPostponedError):
        await follower.run()
    assert len(follower.all()) == 4
    await follower.run()

    assert follower.all() == [f"turn {number}" for number in range(6)]


async def test_an_owner_erased_meanwhile_ends_the_task_quietly(store: Store) -> None:
    await store.remember("one")
    follower = Follower(store)
    calm = follower.work

    async def work(batch: Batch) -> None:
        await store.client.delete("/v1/users/alice")
        await calm(batch)

    follower.work = work  # type: ignore[method-assign]
    await follower.run()

    assert follower.fresh == []


async def test_derived_memories_are_kept_apart(store: Store) -> None:
    stored = await store.remember({"content": "I play the violin", "occurred_at": at(1)})
    scope = await store.scope()
    new = DerivedMemory("thought", "Alice plays the violin", _WHEN, "test", (1,))
    async with store.database.transaction(
        tenant_id=scope.tenant_id, owner_id=scope.owner_id
    ) as session:
        await memories.lock_owner(session, scope)
        (ordinal,) = await memories.add_derived(session, scope, [new], now=_WHEN)
        sources = await memories.source_ordinals(session, scope, [ordinal])
    follower = Follower(store)
    await follower.run()

    assert sources == {ordinal: [1]}
    assert await store.found("violin") == ["I play the violin"]
    assert follower.all() == ["I play the violin"]
    listed = (await store.get("/v1/memories", user_id="alice", kind="thought"))["items"]
    assert [one["generated_by"] for one in listed] == ["test"]
    refused = await store.send("PATCH", f"/v1/memories/{listed[0]['id']}", {"content": "no"})
    assert refused.json()["code"] == "memory-derived"
    await store.archive(listed[0]["id"])
    await store.restore(listed[0]["id"])
    assert await store.found("violin") == ["I play the violin"]
    await store.erase(stored[0]["id"])
    assert await store.count("memories") == 0


@pytest.mark.parametrize("is_large", [False, True])
async def test_nearest_finds_live_neighbours_in_a_space(store: Store, *, is_large: bool) -> None:
    stored = await store.remember("a", "b", "c", "d")
    table = (await store.spaces.current()).table
    assert table is not None
    table = replace(table, uses_bits=True)
    scope = replace(await store.scope(), keys=10_000 if is_large else 4)
    vectors = np.zeros((4, table.dimensions), np.float32)
    vectors[:, 0] = 1
    vectors[:, 1] = [0, 0.1, 0.2, 3]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    await store.archive(stored[1]["id"])
    async with store.database.transaction(
        tenant_id=scope.tenant_id, owner_id=scope.owner_id
    ) as session:
        await memories.put_vectors(session, scope, table, "note", [1, 2, 3, 4], vectors)
        await memories.put_vectors(session, scope, table, "other", [1], vectors[:1])
        near = await memories.nearest(session, scope, table, "note", vectors[:2], k=2, but=[1])
        held = await memories.get_vectors(session, scope, table, "note", [1, 2])
        await memories.drop_vectors(session, scope, table, "note", [3])
        left = await memories.nearest(session, scope, table, "note", vectors[:1], k=5)
        own = await memories.own_vectors(session, scope, table, [1, 2])

    assert [[one.ordinal for one in row] for row in near] == [[3, 4], [3, 4]]
    assert near[0][0].cosine == pytest.approx(float(vectors[0] @ vectors[2]), abs=2e-3)
    assert sorted(held) == [1, 2]
    assert [one.ordinal for one in left[0]] == [1, 4]
    assert sorted(own) == [1]


async def test_reinforcing_strengthens_once_for_each_recall(store: Store) -> None:
    await store.remember("one", "two")
    scope = await store.scope()
    recalls = [(1, _WHEN), (1, _WHEN + timedelta(hours=1)), (2, _WHEN)]
    async with store.database.transaction(
        tenant_id=scope.tenant_id, owner_id=scope.owner_id
    ) as session:
        await memories.reinforce(session, scope, recalls, growth_days=1.5)

    rows = await store.rows(
        "SELECT strength_days, recall_count, recalled_at FROM memories "
        "WHERE owner_id = :owner_id ORDER BY ordinal",
        owner_id=scope.owner_id,
    )
    assert rows == [(4.0, 2, _WHEN + timedelta(hours=1)), (2.5, 1, _WHEN)]
