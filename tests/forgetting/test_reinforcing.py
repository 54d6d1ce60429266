"""What is recalled grows stronger, behind the answer and never twice."""

import asyncio
from datetime import timedelta

import pytest

from app.forgetting.service import Reinforcer, reinforcing
from app.kit.clock import now
from app.kit.errors import DatabaseUnavailableError
from app.tenants.schemas import Scope
from tests.forgetting.helpers import events, follow, retention, settle
from tests.memories.helpers import Store, until

pytestmark = pytest.mark.pg


async def _held(store: Store, memory_id: str) -> tuple[float, int]:
    rows = await store.rows(
        "SELECT strength_days, recall_count FROM memories WHERE id = :id", id=memory_id
    )
    return rows[0][0], rows[0][1]


async def test_each_recall_makes_a_hit_stronger_by_a_day(store: Store) -> None:
    cat, _ = await store.remember("A grey cat.", {"content": "Rain in May.", "kind": "fact"})

    for recalls in (1, 2, 3):
        await store.recall("cat", recipe="lexical", reinforce=True)
        await settle(store)
        assert await _held(store, cat["id"]) == (1 + recalls, recalls)

    assert (await retention(store, cat["id"]))["retention"] > 0.999
    assert [event["kind"] for event in await events(store, cat["id"])] == [
        "created",
        "recalled",
        "recalled",
        "recalled",
    ]


async def test_what_is_recalled_twice_before_the_update_counts_twice(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]

    await store.recall("cat", reinforce=True)
    await store.recall("cat", reinforce=True)
    assert await _held(store, memory_id) == (1, 0)
    await settle(store)

    assert await _held(store, memory_id) == (3, 2)


async def test_only_hits_that_were_answered_grow_stronger(store: Store) -> None:
    cat, dog = await store.remember("A grey cat.", "A grey dog.")

    await store.recall("cat", limit=1, reinforce=True)
    await store.recall("dog", limit=1, reinforce=False)
    await settle(store)

    assert await _held(store, cat["id"]) == (2, 1)
    assert await _held(store, dog["id"]) == (1, 0)


async def test_a_context_strengthens_what_fits_into_it(store: Store) -> None:
    long = "A cat that " + "purrs and " * 60 + "sleeps."
    short, _ = await store.remember("A grey cat.", long)

    packed = await store.context("grey cat", max_tokens=60, reinforce=True)
    await settle(store)

    assert packed["sections"][-1]["memory_ids"] == [short["id"]]
    strengths = await store.rows(
        "SELECT content, recall_count FROM memories WHERE tenant_id = :t", t=store.tenant_id
    )
    assert dict(map(tuple, strengths)) == {"A grey cat.": 1, long: 0}


async def test_growth_is_the_owners_policy(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    await follow(store, growth_days=2.5)

    await store.recall("cat", reinforce=True)
    await settle(store)

    assert await _held(store, memory_id) == (3.5, 1)


async def test_it_happens_by_itself_soon_after_the_answer(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    await store.recall("cat", reinforce=True)

    async def strengthened() -> bool:
        return await _held(store, memory_id) == (2, 1)

    await until(strengthened)


async def test_many_hits_do_not_wait_for_the_second(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reinforcing, "BATCH", 2)
    cat, dog = await store.remember("A cat.", "A dog.")
    reinforcer = Reinforcer(store.database, every_s=3600)
    scope = await store.scope()
    ordinals = await store.rows(
        "SELECT ordinal FROM memories WHERE owner_id = :o", o=scope.owner_id
    )

    async with reinforcer.running():
        reinforcer.note(scope, [row[0] for row in ordinals], now())

        async def strengthened() -> bool:
            return [await _held(store, one["id"]) for one in (cat, dog)] == [(2, 1)] * 2

        await until(strengthened)


async def test_a_stop_loses_nothing(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    reinforcer = Reinforcer(store.database, every_s=3600)

    async with reinforcer.running():
        reinforcer.note(await store.scope(), [1], now())
        await asyncio.sleep(0)

    assert await _held(store, memory_id) == (2, 1)


async def test_an_owner_erased_meanwhile_holds_nobody_up(store: Store) -> None:
    await store.remember("A cat.", user_id="bob")
    memory_id = (await store.remember("A cat."))[0]["id"]
    for user_id in ("bob", "alice"):
        await store.recall("cat", user_id=user_id, reinforce=True)
    assert (await store.client.delete("/v1/users/bob")).status_code == 200

    await settle(store)

    assert await _held(store, memory_id) == (2, 1)


async def test_a_memory_archived_or_erased_meanwhile_is_left_alone(store: Store) -> None:
    cat, dog = await store.remember("A grey cat.", "A grey dog.")
    await store.recall("grey", reinforce=True)
    await store.archive(cat["id"])
    await store.erase(dog["id"])

    await settle(store)

    assert await _held(store, cat["id"]) == (1, 0)


async def test_what_the_database_does_not_take_waits(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    await store.recall("cat", reinforce=True)
    reinforcer = store.app.state.reinforcer

    async def away(*_: object) -> None:
        msg = "away"
        raise DatabaseUnavailableError(msg)

    with monkeypatch.context() as patched:
        patched.setattr(reinforcer, "_strengthen", away)
        await settle(store)
    assert await _held(store, memory_id) == (1, 0)

    await settle(store)
    assert await _held(store, memory_id) == (2, 1)


async def test_an_owner_whose_recalls_fail_keeps_no_other_owners_from_being_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = ("bob", "alice", "carol")
    ids = {user: (await store.remember("A cat.", user_id=user))[0]["id"] for user in users}
    for user in users:
        await store.recall("cat", user_id=user, reinforce=True)
    failing = await store.scope("alice")
    reinforcer = store.app.state.reinforcer
    strengthen = reinforcer._strengthen

    async def fails(scope: Scope, recalls: list[object]) -> None:
        if scope.owner_id == failing.owner_id:
            raise ValueError
        await strengthen(scope, recalls)

    monkeypatch.setattr(reinforcer, "_strengthen", fails)
    await settle(store)

    held = {user: (await _held(store, ids[user]))[1] for user in users}
    assert held == {"bob": 1, "alice": 0, "carol": 1}


async def test_an_earlier_recall_that_is_counted_later_sets_no_clock_back(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    reinforcer = store.app.state.reinforcer
    moment = now()

    for at in (moment, moment - timedelta(hours=1)):
        reinforcer.note(await store.scope(), [1], at)
        await settle(store)

    found = await retention(store, memory_id, moment + timedelta(days=3))
    assert (found["elapsed_days"], found["strength_days"]) == (3, 3)
