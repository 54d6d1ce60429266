"""Thoughts over HTTP: recall by several probes, lists, who may see what."""

import pytest

from tests.api import client_of, code_of, new_key, with_key
from tests.memories.helpers import Store
from tests.thoughts.helpers import enrich, listed, said, thought_of

pytestmark = pytest.mark.pg


async def test_recall_returns_the_nearest_thoughts_with_score_and_sources(store: Store) -> None:
    stored = await store.remember(
        said(1, "I live in Berlin."), said(2, "I love jazz."), said(3, "My dog is called Rex.")
    )
    await enrich(store)

    found = await thought_of(store, "Alice: I love jazz", probes=2)

    first = found["thoughts"][0]
    assert found["degraded"] == []
    assert (first["head"], first["relation"], first["tail"]) == ("Alice", "loves", "jazz")
    assert first["source_ids"] == [stored[1]["id"]]
    assert first["score"] == pytest.approx(1, abs=1e-3)
    scores = [one["score"] for one in found["thoughts"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3


async def test_a_duplicate_of_the_query_is_found_with_one_probe(store: Store) -> None:
    names = [f"I like thing number {n} of {n * 7}." for n in range(30)]
    await store.remember(*(said(n, text) for n, text in enumerate(names)))
    await enrich(store)

    for text in names[:5]:
        found = await thought_of(store, f"Alice: {text}", probes=1, limit=200)
        held = " ".join(one["tail"] for one in found["thoughts"])
        assert text.removeprefix("I like ").removesuffix(".") in held


async def test_limit_is_kept(store: Store) -> None:
    await store.remember(*(said(n, f"We walked {n} miles today.") for n in range(9)))
    await enrich(store)

    assert len((await thought_of(store, "miles", limit=4, probes=2))["thoughts"]) == 4


async def test_while_the_embedder_is_away_the_answer_says_so(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."))
    await enrich(store)
    store.embedder.failing = True

    assert await thought_of(store, "Berlin") == {"thoughts": [], "degraded": ["dense"]}


async def test_an_unknown_user_has_no_thoughts(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."))

    assert await thought_of(store, "x", user_id="nobody") == {"thoughts": [], "degraded": []}
    unknown = await store.client.get("/v1/users/nobody/thoughts")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "owner-not-found")


async def test_lists_are_narrowed_and_paged(store: Store) -> None:
    await store.remember(
        said(1, "I live in Berlin."), said(2, "My sister lives in Lyon."), said(3, "I love jazz.")
    )
    await enrich(store)

    of_sister = await listed(store, head="alice's Sister")
    homes = await listed(store, relation="Lives in")
    first = await store.get("/v1/users/alice/thoughts", limit=2)
    rest = await store.get("/v1/users/alice/thoughts", limit=2, cursor=first["next_cursor"])

    assert [one["tail"] for one in of_sister] == ["Lyon"]
    assert [one["tail"] for one in homes] == ["Lyon", "Berlin"]
    assert [one["tail"] for one in first["items"] + rest["items"]] == ["jazz", "Lyon", "Berlin"]
    assert rest["next_cursor"] is None


async def test_an_agents_own_thoughts_are_listed_under_it(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."), user_id=None, agent_id="coach")
    scope = await store.rows(
        "SELECT owner_id FROM owners WHERE tenant_id = :tenant_id AND kind = 'agent'",
        tenant_id=store.tenant_id,
    )
    assert scope
    await enrich(store, user_id="coach")

    items = (await store.get("/v1/agents/coach/thoughts"))["items"]
    found = await thought_of(store, "Berlin", user_id=None, agent_id="coach", probes=2)

    assert [one["tail"] for one in items] == ["Berlin"]
    assert [one["tail"] for one in found["thoughts"]] == ["Berlin"]


async def test_a_key_bound_to_an_agent_sees_only_its_thoughts(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."), agent_id="coach")
    await store.remember(said(2, "I love jazz."), agent_id="cook")
    await enrich(store)
    made = await store.send("POST", "/v1/keys", {"name": "x", "scopes": ["read"],
                                                 "agent_id": "cook"})  # fmt: skip
    assert made.status_code == 201, made.text
    headers = with_key(made.json()["key"])

    async with client_of(store.app) as client:
        whole = await client.get("/v1/users/alice/thoughts", headers=headers)
        own = await client.get("/v1/users/alice/thoughts?agent_id=cook", headers=headers)
        body = {"query": "Berlin jazz", "user_id": "alice", "probes": 2}
        refused = await client.post("/v1/thoughts:recall", json=body, headers=headers)
        asked = body | {"agent_id": "cook"}
        recalled = await client.post("/v1/thoughts:recall", json=asked, headers=headers)

    assert whole.status_code == refused.status_code == 403
    assert [one["tail"] for one in own.json()["items"]] == ["jazz"]
    assert [one["tail"] for one in recalled.json()["thoughts"]] == ["jazz"]


async def test_another_tenant_sees_nothing(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."))
    await enrich(store)

    async with client_of(store.app) as client:
        key = await new_key(client)
        answer = await client.get("/v1/users/alice/thoughts", headers=with_key(key))

    assert (answer.status_code, code_of(answer)) == (404, "owner-not-found")


async def test_a_query_that_is_too_long_is_refused(store: Store) -> None:
    body = {"query": "x" * 9_000, "user_id": "alice"}

    assert code_of(await store.send("POST", "/v1/thoughts:recall", body)) == "limit-exceeded"
