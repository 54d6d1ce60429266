"""Archiving hides, restoring brings back; both can be repeated; time does the former."""

from datetime import UTC, datetime, timedelta

import pytest

from app.kit.clock import now
from tests.memories import invariants
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg


async def _kinds(store: Store, memory_id: str) -> list[str]:
    listed = await store.get(f"/v1/memories/{memory_id}/history")
    return [event["kind"] for event in listed["items"]]


async def test_an_archived_memory_is_hidden_and_comes_back_when_restored(store: Store) -> None:
    stored = await store.remember("A grey cat.", "A red cat.")
    memory_id = stored[0]["id"]

    archived = await store.archive(memory_id)
    assert archived["archived_at"] is not None
    assert archived["embedding"] == "none"
    assert await store.found("cat") == ["A red cat."]
    assert (await store.read(memory_id))["content"] == "A grey cat."
    await invariants.check(store)

    restored = await store.restore(memory_id)
    assert restored["archived_at"] is None
    assert restored["embedding"] == "ready"
    for recipe in ("default", "lexical", "dense"):
        found = await store.found("cat", recipe=recipe)
        assert sorted(found) == ["A grey cat.", "A red cat."]
    assert await _kinds(store, memory_id) == ["created", "archived", "restored"]
    await invariants.check(store)


async def test_archiving_and_restoring_can_be_repeated(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]

    assert await store.restore(memory_id) == await store.read(memory_id)
    first = await store.archive(memory_id)
    assert await store.archive(memory_id) == first
    assert (await store.restore(memory_id)) == await store.restore(memory_id)

    assert await _kinds(store, memory_id) == ["created", "archived", "restored"]


async def test_restored_without_an_embedder_it_waits_for_its_vector(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    await store.archive(memory_id)
    store.embedder.failing = True

    restored = await store.restore(memory_id)

    assert restored["embedding"] == "pending"
    assert await store.by_words("cat") == ["A cat."]
    store.embedder.failing = False
    await store.run_task("memories.embed")
    assert await store.by_vector("cat") == ["A cat."]


async def test_it_comes_back_with_the_turn_before_as_that_is_now(store: Store) -> None:
    stored = await store.remember("The hamster?", "She sleeps.", session_id="s")
    await store.archive(stored[1]["id"])
    await store.edit(stored[0]["id"], content="The parrot?")

    await store.restore(stored[1]["id"])

    assert set(await store.by_words("parrot")) == {"The parrot?", "She sleeps."}
    assert await store.by_words("hamster") == []


async def test_the_next_turn_carries_its_words_only_while_it_is_live(store: Store) -> None:
    stored = await store.remember("The hamster?", "She sleeps.", session_id="s")

    await store.archive(stored[0]["id"])
    assert await store.by_words("hamster") == []
    await store.remember("And snores.", session_id="s")
    await invariants.check(store)

    await store.restore(stored[0]["id"])
    assert set(await store.by_words("hamster")) == {"The hamster?", "She sleeps."}
    await invariants.check(store)


async def test_long_memories_come_back_with_all_their_keys(store: Store) -> None:
    long = "filler words " * 200 + "needle " + "filler words " * 200
    memory_id = (await store.remember(long))[0]["id"]
    keys = await store.count("memory_keys")
    assert keys > 3

    await store.archive(memory_id)
    assert await store.count("memory_keys") == 0
    await store.restore(memory_id)

    assert await store.count("memory_keys") == keys
    assert await store.by_words("needle") == [long]
    await invariants.check(store)


# Expiry.


def _in(**distance: float) -> str:
    return (datetime.now(UTC) + timedelta(**distance)).isoformat()


async def test_a_memory_expires_to_the_second_and_housekeeping_archives_it(store: Store) -> None:
    stored = await store.remember(
        {"content": "A cat, gone.", "expires_at": _in(seconds=-1)},
        {"content": "A cat, still here.", "expires_at": _in(minutes=10)},
        "A cat for ever.",
    )
    live = ["A cat for ever.", "A cat, still here."]
    assert sorted(await store.found("cat")) == live
    assert (await store.read(stored[0]["id"]))["archived_at"] is None

    await store.keep_house("memories.expire")

    assert sorted(await store.found("cat")) == live
    assert (await store.read(stored[0]["id"]))["archived_at"] is not None
    assert (await store.read(stored[1]["id"]))["archived_at"] is None
    events = await store.get(f"/v1/memories/{stored[0]['id']}/history")
    assert events["items"][-1]["detail"] == {"reason": "expired"}
    await invariants.check(store)


async def test_expired_memories_of_all_owners_are_archived_however_many(store: Store) -> None:
    past = _in(seconds=-1)
    for user in ("alice", "bob"):
        many = [{"content": f"cat {n}", "expires_at": past} for n in range(300)]
        await store.remember(*many, "a cat for ever", user_id=user, infer="none")

    await store.keep_house("memories.expire")

    for user in ("alice", "bob"):
        assert await store.count("memory_keys", user) == 1
        await invariants.check(store, user)


async def test_it_expires_when_its_time_comes_and_not_before(store: Store) -> None:
    memory_id = (await store.remember({"content": "A cat.", "expires_at": _in(minutes=5)}))[0]["id"]

    await store.keep_house("memories.expire", now() + timedelta(minutes=4))
    assert (await store.read(memory_id))["archived_at"] is None

    await store.keep_house("memories.expire", now() + timedelta(minutes=6))
    assert (await store.read(memory_id))["archived_at"] is not None


async def test_an_edit_can_let_a_memory_expire_or_live_on(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]

    await store.edit(memory_id, expires_at=_in(seconds=-1))
    assert await store.found("cat") == []
    await store.edit(memory_id, expires_at=None)
    assert await store.found("cat") == ["A cat."]


async def test_restoring_what_has_expired_lifts_the_expiry(store: Store) -> None:
    memory_id = (await store.remember({"content": "A cat.", "expires_at": _in(seconds=-1)}))[0][
        "id"
    ]
    await store.keep_house("memories.expire")

    restored = await store.restore(memory_id)

    assert restored["expires_at"] is None
    await store.keep_house("memories.expire")
    assert await store.found("cat") == ["A cat."]


async def test_old_history_is_pruned_and_memories_stay(store: Store) -> None:
    memory_id = (await store.remember({"content": "A cat.", "occurred_at": at(0)}))[0]["id"]
    days = store.settings.housekeeping.events_days

    await store.keep_house("memories.prune_events", now() + timedelta(days=days - 1))
    assert await _kinds(store, memory_id) == ["created"]

    await store.keep_house("memories.prune_events", now() + timedelta(days=days + 1))
    assert await _kinds(store, memory_id) == []
    assert await store.found("cat") == ["A cat."]


async def test_another_tenants_memories_are_not_touched_by_housekeeping(
    store: Store, room_settings: object
) -> None:
    elsewhere: Json = {"content": "A cat.", "expires_at": _in(seconds=-1)}
    memory_id = (await store.remember(elsewhere))[0]["id"]
    tenant_id = store.tenant_id
    rows = await store.rows("SELECT tenant_id FROM tenants WHERE tenant_id <> :own", own=tenant_id)
    store.tenant_id = rows[0][0]

    await store.keep_house("memories.expire")

    assert (await store.read(memory_id))["archived_at"] is None
