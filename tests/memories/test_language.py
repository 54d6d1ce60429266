"""Stems and dates follow the owner's language and time zone, also of what is there already."""

import pytest

from app.jobs.tasks import JobWorker
from app.worker import build_registry
from tests.memories import invariants
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg


async def _set(store: Store, path: str, **settings: str) -> None:
    answer = await store.send("PUT", path, settings)
    assert answer.status_code == 200, answer.text


async def test_words_are_stemmed_in_the_owners_language(store: Store) -> None:
    await _set(store, "/v1/users/alice/settings", language="de")
    await store.remember("Die Häuser sind groß.")
    await store.remember("Die Häuser sind groß.", user_id="bob")

    assert await store.by_words("Haus") == ["Die Häuser sind groß."]
    assert await store.by_words("sind") == []  # a stop word
    assert await store.by_words("Haus", user_id="bob") == []
    await invariants.check(store)


async def test_a_new_language_holds_for_what_was_there_before_once_it_is_renewed(
    store: Store,
) -> None:
    long = "füller wörter " * 300 + "Häuser " + "füller wörter " * 300
    await store.remember("Die Häuser.", "Und die Kinder?", long, session_id="s")
    archived = await store.remember("Alte Häuser.")
    await store.archive(archived[0]["id"])
    assert await store.by_words("Haus") == []

    await _set(store, "/v1/users/alice/settings", language="de")
    await store.run_task("memories.reindex")

    found = await store.by_words("Haus")
    assert sorted(found) == sorted(["Die Häuser.", "Und die Kinder?", long])
    await invariants.check(store)
    await store.run_task("memories.reindex")
    await invariants.check(store)
    await store.restore(archived[0]["id"])
    assert "Alte Häuser." in await store.by_words("Haus")
    await invariants.check(store)


async def test_renewal_keeps_the_vectors(store: Store) -> None:
    await store.remember("Die Häuser.")
    requests = store.embedder.requests

    await _set(store, "/v1/users/alice/settings", language="de")
    await store.run_task("memories.reindex")

    assert store.embedder.requests == requests
    assert await store.by_vector("Häuser") == ["Die Häuser."]


async def test_dates_in_words_are_those_of_the_owners_time_zone(store: Store) -> None:
    said = {"content": "Fireworks.", "occurred_at": "2026-12-31T20:00:00Z"}
    await store.remember(said)
    assert await store.by_words("December 2026") == ["Fireworks."]

    await _set(store, "/v1/users/alice/settings", time_zone="Asia/Tokyo")
    await store.run_task("memories.reindex")

    assert await store.by_words("December") == []
    assert await store.by_words("1 January 2027") == ["Fireworks."]
    await invariants.check(store)


async def test_a_changed_setting_queues_the_renewal_for_the_owner_or_for_the_tenant(
    fresh: Store,
) -> None:
    for user in ("alice", "bob", "carl"):
        await fresh.remember("Die Häuser.", user_id=user, infer="none")
    await _set(fresh, "/v1/users/carl/settings", language="en")

    async def drain() -> None:
        registry = build_registry(fresh.database, fresh.embedder, fresh.settings)
        await JobWorker(fresh.database, registry, fresh.settings).drain()

    await _set(fresh, "/v1/users/alice/settings", language="de")
    await drain()
    found = [await fresh.by_words("Haus", user_id=user) for user in ("alice", "bob", "carl")]
    assert found == [["Die Häuser."], [], []]

    await _set(fresh, "/v1/settings", language="de")
    await drain()
    found = [await fresh.by_words("Haus", user_id=user) for user in ("alice", "bob", "carl")]
    assert found == [["Die Häuser."], ["Die Häuser."], []]


async def test_a_language_without_stems_finds_words_as_they_are(store: Store) -> None:
    await _set(store, "/v1/users/alice/settings", language="und")
    await store.remember("The cats sleep.")

    assert await store.by_words("cat") == []
    assert await store.by_words("CATS") == ["The cats sleep."]
    assert await store.by_words("the") == ["The cats sleep."]
