"""Owners that were recalled for before: one round trip, the same answers, nothing stale."""

import random

import pytest

from app.kit.database import Database
from app.retrieval.service import Recaller
from tests.memories.helpers import Json, Store
from tests.retrieval.helpers import random_items, sentence

pytestmark = pytest.mark.pg


def _forgetful(store: Store) -> None:
    """Let the next recall go the ordinary way."""
    recaller: Recaller = store.app.state.recaller
    recaller._known.clear()


def _counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with each way that a recall goes to the database."""
    ways: list[str] = []
    trip, transaction = Database.read_in_one_trip, Database.transaction

    def one_trip(self: Database, reads: object) -> object:
        ways.append("one trip")
        return trip(self, reads)  # type: ignore[arg-type]  # handed on as it came

    def ordinary(self: Database, **names: object) -> object:
        ways.append("transaction")
        return transaction(self, **names)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(Database, "read_in_one_trip", one_trip)
    monkeypatch.setattr(Database, "transaction", ordinary)
    return ways


async def test_a_known_owner_takes_one_trip(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.remember("grey cat", "brown dog", infer="none")
    await store.recall("grey cat", reinforce=False)

    ways = _counted(store, monkeypatch)
    await store.recall("brown dog", reinforce=False)

    assert ways == ["one trip"]


@pytest.mark.parametrize("recipe", ["default", "lexical", "dense", "fused"])
async def test_both_ways_give_the_same_answers(store: Store, recipe: str) -> None:
    generator = random.Random(7)
    await store.send(
        "POST", "/v1/memories", {"user_id": "alice", "items": random_items(generator, 60)}
    )
    for options in ({}, {"session_id": "s1"}, {"kinds": ["episode"]}, {"limit": 3}):
        asked: Json = {"recipe": recipe, "retention": False, "explain": True, **options}
        question = sentence(generator)
        _forgetful(store)
        ordinary = await store.recall(question, **asked)
        known = await store.recall(question, **asked)
        assert known["hits"] == ordinary["hits"]
        assert known["degraded"] == ordinary["degraded"]


async def test_an_owner_that_was_erased_and_made_anew_is_seen_as_it_is(store: Store) -> None:
    await store.remember("grey cat", infer="none")
    await store.recall("grey cat")
    await store.client.delete("/v1/users/alice")
    assert (await store.recall("grey cat"))["hits"] == []

    await store.remember("brown dog", infer="none")
    found = await store.recall("grey cat")
    assert [hit["content"] for hit in found["hits"]] == ["brown dog"]


async def test_settings_hold_from_the_next_recall_on(store: Store) -> None:
    await store.remember("grey cat", infer="none")
    for law in ("exponential", "none", "exponential"):
        await store.send("PUT", "/v1/users/alice/settings", {"forgetting": {"law": law}})
        hit = (await store.recall("grey cat", explain=True))["hits"][0]
        assert (hit["explain"]["retention"] is None) is (law == "none")


async def test_a_database_that_takes_no_trip_is_asked_the_ordinary_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(self: Database, reads: object) -> None:
        return None

    await store.remember("grey cat", infer="none")
    await store.recall("grey cat")
    monkeypatch.setattr(Database, "read_in_one_trip", nothing)

    assert len((await store.recall("grey cat"))["hits"]) == 1
