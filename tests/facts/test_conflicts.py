"""Memories that contradict each other: found on write, settled by policy or by hand, in recall."""

import pytest

from tests.facts.helpers import run, said
from tests.memories.helpers import Json, Sent, Store

pytestmark = pytest.mark.pg

OLD = "Ada Byrne graduated from Yale."
NEW = "Ada Byrne graduated from Oxford, not Yale."
BAKED = "I baked two loaves of rye bread with my sister."
NEVER = "I've never baked any bread, rye or other, so where do I start?"


async def compare(store: Store, user_id: str = "alice") -> None:
    for task in ("facts.extract", "facts.compare"):
        await run(store, task, user_id=user_id)


async def conflicts(store: Store, **params: str) -> list[Json]:
    asked = {"user_id": "alice", "status": "all", **params}
    found: list[Json] = (await store.get("/v1/conflicts", **asked))["items"]
    return found


async def resolve(store: Store, conflict_id: str, winner: str | None, user: str = "alice") -> Json:
    path = f"/v1/conflicts/{conflict_id}:resolve?user_id={user}"
    answer = await store.send("POST", path, {"winner": winner})
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def rule(store: Store, rule: str, **trust: float) -> None:
    policy = {"conflicts": {"rule": rule, "trust": trust}}
    answer = await store.send("PUT", "/v1/users/alice/settings", policy)
    assert answer.status_code == 200, answer.text


async def changed(store: Store) -> list[Json]:
    """Return two statements, of which the later takes the earlier's place."""
    stored = await store.remember(said("2024-01-01", OLD), said("2025-01-01", NEW))
    await compare(store)
    return stored


async def test_a_change_is_found_and_the_newest_wins(store: Store) -> None:
    older, newer = await changed(store)

    (one,) = await conflicts(store)

    assert one["older"]["memory_id"] == older["id"]
    assert one["newer"]["memory_id"] == newer["id"]
    assert (one["older"]["content"], one["newer"]["content"]) == (OLD, NEW)
    assert one["older"]["occurred_at"] < one["newer"]["occurred_at"]
    assert (one["status"], one["winner"], one["resolved_by"]) == ("resolved", "newer",
                                                                   "newest-wins")  # fmt: skip
    assert await conflicts(store, status="open") == []


async def test_what_was_replaced_ranks_behind_and_says_so(store: Store) -> None:
    older, newer = await changed(store)

    hits = (await store.recall("Ada Byrne graduated from Yale."))["hits"]

    assert [hit["id"] for hit in hits] == [newer["id"], older["id"]]
    assert hits[1]["superseded_by"] == newer["id"]
    assert hits[0]["superseded_by"] is None
    assert hits[0]["score"] > hits[1]["score"]


async def test_without_its_memory_what_was_replaced_ranks_first(store: Store) -> None:
    """The check that the mechanism needs its memory: without conflicts the old answer is first."""
    older, _ = await changed(store)
    owner_id = (await store.scope()).owner_id

    await store.rows("DELETE FROM conflicts WHERE owner_id = :owner_id", owner_id=owner_id)

    assert (await store.recall("Ada Byrne graduated from Yale."))["hits"][0]["id"] == older["id"]


async def test_what_was_replaced_comes_along_when_it_is_asked_for(store: Store) -> None:
    older, newer = await changed(store)
    asked: dict[str, Sent] = {"limit": 1}

    alone = (await store.recall("Ada Oxford", **asked))["hits"]
    both = (await store.recall("Ada Oxford", **asked, include=["superseded"]))["hits"]

    assert [hit["id"] for hit in alone] == [newer["id"]]
    assert [hit["id"] for hit in both] == [newer["id"], older["id"]]
    assert both[1]["superseded_by"] == newer["id"]


async def test_as_of_an_earlier_time_the_later_says_nothing(store: Store) -> None:
    older, _ = await changed(store)

    (hit,) = (await store.recall("Ada Yale", as_of="2024-06-01T00:00:00Z"))["hits"]

    assert hit["id"] == older["id"]
    assert hit["superseded_by"] is None


async def test_what_one_said_is_replaced_by_a_fact_that_ends_it(store: Store) -> None:
    older, newer = await store.remember(
        said("2024-01-01", "I live in Berlin."), said("2025-01-01", "I moved to Rome.")
    )
    await compare(store)

    (one,) = await conflicts(store)
    hits = (await store.recall("Where does Alice live? Berlin"))["hits"]

    assert one["detector"] == "fact"
    assert [hit["id"] for hit in hits] == [newer["id"], older["id"]]


async def test_a_denial_stays_open_and_both_sides_are_recalled(store: Store) -> None:
    noise = [said("2024-03-01", f"I painted the fence number {n} with tar.") for n in range(5)]
    baked, *_, never = await store.remember(
        said("2024-01-01", BAKED), *noise, said("2025-01-01", NEVER)
    )
    await compare(store)

    (one,) = await conflicts(store, status="open")
    hits = (await store.recall("have I ever baked rye bread?", limit=2))["hits"]

    assert one["detector"] == "denial"
    assert {hit["id"] for hit in hits} == {baked["id"], never["id"]}
    assert hits[0]["conflicts_with"] == [hits[1]["id"]]


async def test_a_denial_that_comes_first_is_found_as_well(store: Store) -> None:
    await store.remember(said("2024-01-01", NEVER))
    await compare(store)
    await store.remember(said("2025-01-01", BAKED))
    await compare(store)

    assert [one["detector"] for one in await conflicts(store, status="open")] == ["denial"]


async def test_asked_first_nothing_is_settled(store: Store) -> None:
    await rule(store, "ask")
    await changed(store)

    (one,) = await conflicts(store, status="open")

    assert (one["winner"], one["resolved_by"]) == (None, None)
    hits = (await store.recall("Ada Byrne graduated from Yale."))["hits"]
    assert hits[0]["conflicts_with"] == [hits[1]["id"]]


async def test_who_is_trusted_more_is_believed(store: Store) -> None:
    await rule(store, "source-trust", Registrar=0.9, Gossip=0.1)
    older, newer = await store.remember(
        {**said("2024-01-01", OLD), "name": "Registrar"},
        {**said("2025-01-01", NEW), "name": "Gossip"},
    )
    await compare(store)

    (one,) = await conflicts(store)
    hits = (await store.recall("Ada Byrne graduated from Oxford"))["hits"]

    assert (one["winner"], one["resolved_by"]) == ("older", "source-trust")
    assert [hit["id"] for hit in hits] == [older["id"], newer["id"]]


async def test_a_decision_counts_before_the_policy_and_can_be_taken_back(store: Store) -> None:
    older, newer = await changed(store)
    (one,) = await conflicts(store)

    decided = await resolve(store, one["id"], "older")
    assert (decided["winner"], decided["resolved_by"]) == ("older", "request")
    assert decided["resolved_at"]
    hits = (await store.recall("Ada Oxford"))["hits"]
    assert [hit["id"] for hit in hits] == [older["id"], newer["id"]]

    await resolve(store, one["id"], "both")
    assert all(not hit["superseded_by"] for hit in (await store.recall("Ada Oxford"))["hits"])

    again = await resolve(store, one["id"], None)
    assert (again["winner"], again["resolved_by"]) == ("newer", "newest-wins")


async def test_a_conflict_of_another_or_of_nobody_is_not_found(store: Store) -> None:
    await changed(store)
    await store.remember("I like tea.", user_id="bob")
    (one,) = await conflicts(store)

    for user in ("bob", "nobody"):
        path = f"/v1/conflicts/{one['id']}:resolve?user_id={user}"
        answer = await store.send("POST", path, {"winner": "newer"})
        assert answer.status_code == 404
        assert answer.json()["code"] == "conflict-not-found"
    assert await conflicts(store, user_id="nobody") == []


async def test_running_again_changes_nothing_and_a_decision_stays(store: Store) -> None:
    stored = await changed(store)
    (one,) = await conflicts(store)
    await resolve(store, one["id"], "both")
    before = await conflicts(store)

    await store.edit(stored[0]["id"], importance=0.5)
    await compare(store)

    assert await conflicts(store) == before


@pytest.mark.parametrize("change", ["edit", "archive", "erase"])
async def test_what_no_longer_says_so_replaces_nothing(store: Store, change: str) -> None:
    _, newer = await changed(store)

    if change == "edit":
        await store.edit(newer["id"], content="Nothing of the kind.")
    else:
        await (store.archive if change == "archive" else store.erase)(newer["id"])
    await compare(store)

    assert await conflicts(store) == []
    hits = (await store.recall("Ada Byrne graduated from Yale."))["hits"]
    assert all(hit["superseded_by"] is None for hit in hits)


async def test_what_agents_heard_does_not_contradict(store: Store) -> None:
    await store.remember(said("2024-01-01", OLD), agent_id="coach")
    await store.remember(said("2025-01-01", NEW), agent_id="cook")
    await compare(store)

    assert await conflicts(store) == []


async def test_switched_off_it_finds_nothing_and_recall_is_as_it_was(store: Store) -> None:
    older, _ = await changed(store)

    await store.send("PUT", "/v1/settings", {"mechanisms": {"conflicts": False}})

    hits = (await store.recall("Ada Byrne graduated from Yale."))["hits"]
    assert hits[0]["id"] == older["id"]
    assert hits[0]["superseded_by"] is None
