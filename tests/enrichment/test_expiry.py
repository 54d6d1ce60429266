"""What expires is as gone to the mechanisms as what was archived by hand."""

from datetime import timedelta

import pytest

from app.kit.clock import now
from tests.enrichment import invariants
from tests.enrichment.helpers import chain, expire
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg

_LATER = timedelta(hours=2)


def _said(content: str, minute: int, *, expires: bool = False) -> Json:
    item: Json = {"content": content, "name": "Alice", "occurred_at": at(minute)}
    return item | ({"expires_at": (now() + _LATER / 2).isoformat()} if expires else {})


async def _thoughts(store: Store, query: str) -> list[str]:
    answer = await store.send("POST", "/v1/thoughts:recall", {"query": query, "user_id": "alice"})
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json()["thoughts"]]


async def _listed(store: Store) -> list[str]:
    listed = await store.get("/v1/memories", user_id="alice", kind="thought")
    return [one["content"] for one in listed["items"]]


async def _queued(store: Store) -> int:
    scope = await store.scope()
    rows = await store.rows(
        "SELECT count(*) FROM jobs WHERE owner_id = :owner_id AND kind = 'enrich' "
        "AND status = 'queued'",
        owner_id=scope.owner_id,
    )
    return int(rows[0][0])


async def _finish_jobs(store: Store) -> None:
    scope = await store.scope()
    await store.rows("DELETE FROM jobs WHERE owner_id = :owner_id", owner_id=scope.owner_id)


async def test_a_thought_that_was_joined_with_an_expired_one_is_said_again(store: Store) -> None:
    await store.remember(
        _said("I like green tea.", 0), _said("I like black coffee.", 1, expires=True)
    )
    await chain(store)
    assert await store.rows("SELECT 1 FROM thoughts WHERE status = 'merged'"), "nothing was joined"
    await _finish_jobs(store)

    await expire(store, now() + _LATER)
    assert await _queued(store) == 1, "the mechanisms did not hear of it"
    await chain(store)

    assert await _thoughts(store, "green tea") == ["Alice: I like green tea."]
    assert "coffee" not in repr(await _listed(store))
    await invariants.check(store)


async def test_what_an_expired_fact_had_ended_holds_again(store: Store) -> None:
    await store.remember(_said("I live in Oslo.", 0), _said("I live in Bergen.", 1, expires=True))
    await chain(store)
    assert await _thoughts(store, "where do I live") == ["Alice: I live in Bergen."]

    await expire(store, now() + _LATER)
    await chain(store)

    assert await _thoughts(store, "where do I live") == ["Alice: I live in Oslo."]


async def test_a_day_of_which_all_has_expired_is_not_listed(store: Store) -> None:
    await store.remember(_said("I live in Bergen.", 1, expires=True))
    await chain(store)
    assert (await store.get("/v1/users/alice/summaries"))["items"]

    await expire(store, now() + _LATER)

    assert (await store.get("/v1/users/alice/summaries"))["items"] == []
    await chain(store)
    assert await store.count("day_summaries") == 0
