"""What is retained of a memory, over HTTP: the law to the last digit."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from app.kit.clock import now
from tests.api import client_of, code_of, new_key
from tests.forgetting.helpers import age, follow, retention, settle
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_retention_is_the_law_of_the_elapsed_days_unrounded(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    created = _moment((await store.read(memory_id))["created_at"])

    for days, expected in ((0, 1), (1, 0.368), (2, 0.135), (5, 0.007), (30, 0)):
        found = await retention(store, memory_id, created + timedelta(days=days))

        assert found["retention"] == math.exp(-found["elapsed_days"] / found["strength_days"])
        assert found["retention"] == pytest.approx(expected, abs=0.001)
        assert (found["elapsed_days"], found["strength_days"]) == (days, 1)
        assert found["recalled_at"] is None
        assert found["fades"]


async def test_without_a_moment_it_is_that_of_now(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    await age(store, 2)

    found = await retention(store, memory_id)

    assert found["elapsed_days"] == pytest.approx(2, abs=0.01)
    assert found["retention"] == math.exp(-found["elapsed_days"])
    threshold = _moment(found["fades_at"]) - (_moment(found["at"]) - timedelta(days=2))
    assert threshold / timedelta(days=1) == pytest.approx(-math.log(0.05), abs=0.01)


async def test_a_recall_sets_it_to_1_and_the_past_stays_as_it_was(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    await age(store, 3)
    await store.recall("cat", reinforce=True)
    await settle(store)

    found = await retention(store, memory_id)
    assert found["strength_days"] == 2
    recalled = _moment(found["recalled_at"])
    assert (await retention(store, memory_id, recalled))["retention"] == 1
    later = await retention(store, memory_id, recalled + timedelta(days=2))
    assert later["retention"] == math.exp(-1)
    before = await retention(store, memory_id, recalled - timedelta(days=1))
    assert before["retention"] == pytest.approx(math.exp(-2), abs=0.001)
    assert (before["strength_days"], before["recalled_at"]) == (1, None)
    assert (await retention(store, memory_id, now() - timedelta(days=9)))["retention"] is None


async def test_the_clock_may_start_when_it_happened(store: Store) -> None:
    happened = datetime(2026, 1, 1, tzinfo=UTC)
    said = {"content": "A cat.", "occurred_at": happened.isoformat()}
    memory_id = (await store.remember(said))[0]["id"]
    await follow(store, clock="occurred")

    found = await retention(store, memory_id, happened + timedelta(days=1))

    assert found["retention"] == math.exp(-1)


async def test_importance_and_a_floor_count_by_policy_only(store: Store) -> None:
    memory_id = (await store.remember({"content": "A cat.", "importance": 0.5}))[0]["id"]
    created = _moment((await store.read(memory_id))["created_at"])
    later = created + timedelta(days=6)
    assert (await retention(store, memory_id, later))["retention"] == math.exp(-6)

    await follow(store, importance_days=10.0)
    assert (await retention(store, memory_id, later))["retention"] == math.exp(-1)
    await follow(store, floor=0.25)
    found = await retention(store, memory_id, later)
    assert (found["retention"], found["fades_at"]) == (0.25, None)


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        ({"pinned": True}, {}),
        ({"kind": "fact"}, {}),
        ({}, {"law": "none"}),
    ],
)
async def test_what_does_not_fade_is_retained_whole(
    store: Store, said: dict[str, object], policy: dict[str, str]
) -> None:
    memory_id = (await store.remember({"content": "A cat.", **said}))[0]["id"]
    await follow(store, **policy)

    found = await retention(store, memory_id, now() + timedelta(days=300))

    assert found["retention"] == 1
    assert not found["fades"]
    assert found["fades_at"] is None


async def test_a_time_without_offset_is_refused(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]

    answer = await store.client.get(
        f"/v1/memories/{memory_id}/retention", params={"at": "2026-01-01T00:00:00"}
    )

    assert answer.status_code == 422
    assert code_of(answer) == "invalid-request"


async def test_a_key_bound_to_another_sees_nothing(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    with_agent = (await store.remember("A dog.", agent_id="helper"))[0]["id"]
    async with client_of(store.app) as client:
        client.headers.update(store.client.headers)
        made = await client.post(
            "/v1/keys", json={"name": "a", "scopes": ["write"], "agent_id": "helper"}
        )
    assert made.status_code == 201, made.text
    async with client_of(store.app, made.json()["key"]) as bound:
        hidden = await bound.get(f"/v1/memories/{memory_id}/retention")
        shown = await bound.get(f"/v1/memories/{with_agent}/retention")

    assert (hidden.status_code, code_of(hidden)) == (404, "memory-not-found")
    assert shown.status_code == 200


async def test_another_tenants_memory_is_not_found(store: Store) -> None:
    memory_id = (await store.remember("A cat."))[0]["id"]
    async with client_of(store.app) as client:
        key = await new_key(client)
    async with client_of(store.app, key) as stranger:
        answer = await stranger.get(f"/v1/memories/{memory_id}/retention")

    assert (answer.status_code, code_of(answer)) == (404, "memory-not-found")
