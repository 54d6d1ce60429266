"""Forgetting archives by policy, never deletes, and says beforehand what it would do."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from app.forgetting.repository import Run
from app.forgetting.service import Forgetter, forgetting
from app.forgetting.service.law import Law
from app.kit.clock import now
from app.memories.service import Derivations
from tests.api import client_of, code_of
from tests.forgetting.helpers import (
    age,
    archived,
    events,
    follow,
    forget,
    preview,
    registry,
    run_task,
    settle,
)
from tests.memories import invariants
from tests.memories.helpers import Json, Store

pytestmark = pytest.mark.pg

MONTH = timedelta(days=30)


async def test_by_default_nothing_is_ever_archived(store: Store) -> None:
    await store.remember("A cat.", "A dog.")

    assert await forget(store, now() + 100 * MONTH) == 0

    assert await archived(store) == []
    assert await store.count("forgetting_runs") == 0


async def test_below_the_threshold_a_memory_is_archived_and_can_be_restored(
    store: Store,
) -> None:
    old = (await store.remember("A grey cat."))[0]["id"]
    await age(store, 4)
    await store.remember("A grey dog.")
    await follow(store, archiving="threshold")

    await run_task(store)

    assert await archived(store) == ["A grey cat."]
    assert await store.found("grey") == ["A grey dog."]
    last = (await events(store, old))[-1]
    assert (last["kind"], last["detail"]) == ("archived", {"reason": "forgotten"})
    await invariants.check(store)

    restored = await store.restore(old)
    assert restored["archived_at"] is None
    assert sorted(await store.found("grey")) == ["A grey cat.", "A grey dog."]
    await run_task(store)
    assert await archived(store) == []  # it fades anew from its restore on
    await age(store, 4)
    await run_task(store)
    assert await archived(store) == ["A grey cat.", "A grey dog."]
    await invariants.check(store)


async def test_pinned_important_and_other_kinds_stay(store: Store) -> None:
    await store.remember(
        {"content": "pinned", "pinned": True},
        {"content": "fact", "kind": "fact"},
        {"content": "important", "importance": 1},
        "plain",
    )
    await follow(store, archiving="threshold", importance_days=100.0)

    await forget(store, now() + MONTH)

    assert await archived(store) == ["plain"]


async def test_a_recall_keeps_a_memory_alive(store: Store) -> None:
    await store.remember("A grey cat.", "Rain in May.")
    await follow(store, archiving="threshold", growth_days=5.0)
    await age(store, 2)
    await store.recall("cat", recipe="lexical", reinforce=True)
    await settle(store)

    await forget(store, now() + timedelta(days=3))

    assert await archived(store) == ["Rain in May."]


async def test_a_policy_switched_off_archives_no_more(store: Store) -> None:
    await store.remember("A cat.")
    await follow(store, archiving="threshold")
    await follow(store, archiving="off")
    assert await forget(store, now() + MONTH) == 0

    await follow(store, archiving="threshold")
    assert await forget(store, now() + MONTH) == 1


async def test_the_tenants_policy_holds_for_owners_without_their_own(store: Store) -> None:
    for user_id in ("alice", "bob"):
        await store.remember("A cat.", user_id=user_id)
        await age(store, 9, user_id)
    await follow(store, user_id="bob", archiving="off")
    settings = {"forgetting": {"archiving": "threshold"}}
    assert (await store.send("PUT", "/v1/settings", settings)).status_code == 200

    await registry().chores["forgetting.forget"](store.database, store.tenant_id, now())

    assert await archived(store, "alice") == ["A cat."]
    assert await archived(store, "bob") == []


async def test_samples_survive_by_their_retention_however_often_one_looks(store: Store) -> None:
    said = [f"memory {number}" for number in range(400)]
    stored = {}
    for user_id in ("alice", "bob"):
        stored[user_id] = await store.remember(*said, user_id=user_id, infer="none")
        await follow(store, user_id=user_id, archiving="sample", seed=7)
    # The same ids and times, so that the draws are the same ones.
    ids = [one["id"] for one in stored["alice"]]
    begun = now()

    for hours in range(6, 25, 6):
        await forget(store, begun + timedelta(hours=hours), "alice")
    often = set(await archived_ids(store, "alice"))
    expected = await preview(store, begun + timedelta(days=1), limit=1)
    await forget(store, begun + timedelta(days=1), "bob")
    once = set(await archived_ids(store, "bob"))

    assert len(often) / 400 == pytest.approx(1 - math.exp(-1), abs=0.07)
    assert len(once) / 400 == pytest.approx(1 - math.exp(-1), abs=0.07)
    assert often < set(ids)
    assert expected["faded"] == 0  # whatever fades by then has been archived
    assert await forget(store, begun + timedelta(days=1), "alice") == 0


async def archived_ids(store: Store, user_id: str) -> list[str]:
    scope = await store.scope(user_id)
    rows = await store.rows(
        "SELECT CAST(id AS text) FROM memories "
        "WHERE owner_id = :owner_id AND archived_at IS NOT NULL",
        owner_id=scope.owner_id,
    )
    return [row[0] for row in rows]


async def test_a_run_does_what_the_preview_said(store: Store) -> None:
    await store.remember(*[f"memory {number}" for number in range(60)], infer="none")
    await follow(store, archiving="sample", seed=3)
    at = now() + timedelta(days=1)

    told = await preview(store, at, limit=200)
    await forget(store, at)

    assert 10 < told["faded"] == len(told["items"]) < 55
    assert await archived(store) == [one["content"] for one in told["items"]]


async def test_runs_are_logged_with_policy_and_seed(store: Store) -> None:
    await store.remember("A cat.", "A dog.", {"content": "A bird.", "pinned": True})
    await follow(store, archiving="threshold", seed=11)
    at = now() + MONTH

    await forget(store, at)
    await forget(store, at + timedelta(hours=1))
    await forget(store, at + timedelta(hours=2))

    runs = (await store.get("/v1/users/alice/forgetting.json"))["runs"]
    # Of the runs that archived nothing only the last is kept.
    assert [(run["examined"], run["archived"]) for run in runs] == [(0, 0), (2, 2)]
    assert runs[1]["policy"]["seed"] == 11
    assert runs[1]["policy"]["archiving"] == "threshold"


async def test_a_run_that_another_one_overtakes_is_counted_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.remember("A cat.", "A dog.")
    await follow(store, archiving="threshold")
    at = now() + MONTH
    archive = Forgetter._archive
    overtakes = iter([True])

    async def overtaken(self: Forgetter, law: Law, run: Run, ordinals: Sequence[int]) -> int:
        if next(overtakes, False):
            async with self._owner() as session:
                await self._begin(session, law.policy)
        return await archive(self, law, run, ordinals)

    monkeypatch.setattr(Forgetter, "_archive", overtaken)
    await forget(store, at)

    runs = (await store.get("/v1/users/alice/forgetting.json"))["runs"]
    assert sorted((run["examined"], run["archived"]) for run in runs) == [(2, 0), (2, 2)]


async def test_housekeeping_looks_once_an_hour(store: Store) -> None:
    await store.remember("A cat.")
    await follow(store, archiving="threshold")
    chore = registry().chores["forgetting.forget"]
    begun = now() + MONTH

    for minutes in (0, 30, 59):
        await chore(store.database, store.tenant_id, begun + timedelta(minutes=minutes))
    assert await store.count("forgetting_runs") == 1
    await store.remember("A dog.")
    await chore(store.database, store.tenant_id, begun + timedelta(minutes=61))

    assert await archived(store) == ["A cat.", "A dog."]


async def test_a_large_store_is_looked_through_in_parts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "_LOOK", 3)
    monkeypatch.setattr(forgetting, "_ARCHIVE", 2)
    await store.remember(*[f"memory {number}" for number in range(7)], infer="none")
    await follow(store, archiving="threshold")

    assert await forget(store, now() + MONTH) == 7

    await invariants.check(store)


async def test_the_mechanisms_hear_of_what_was_forgotten(store: Store) -> None:
    await store.remember("A cat.", infer="none")
    await follow(store, archiving="threshold")
    scope = await store.scope()
    chain = Derivations(tasks=("memories.embed",))

    await Forgetter(store.database, scope, chain, now() + MONTH).run()

    jobs = (await store.get("/v1/jobs", user_id="alice"))["items"]
    assert [task["name"] for task in jobs[0]["tasks"]] == ["memories.embed"]


async def test_of_an_erased_owner_nothing_is_left_to_forget(store: Store) -> None:
    await store.remember("A cat.")
    await follow(store, archiving="threshold")
    scope = await store.scope()
    assert await forget(store, now() + MONTH) == 1
    assert (await store.client.delete("/v1/users/alice")).status_code == 200

    assert await Forgetter(store.database, scope, Derivations(), now() + MONTH).run() == 0

    rows = await store.rows("SELECT 1 FROM forgetting_runs WHERE owner_id = :o", o=scope.owner_id)
    assert rows == []


async def test_what_expires_is_gone_to_the_second(store: Store) -> None:
    soon = now() + timedelta(seconds=1.5)
    memory_id = (await store.remember({"content": "A cat.", "expires_at": soon.isoformat()}))[0][
        "id"
    ]
    assert await store.found("cat") == ["A cat."]
    await store.rows(
        "UPDATE memories SET expires_at = now() WHERE id = CAST(:id AS uuid)", id=memory_id
    )

    assert await store.found("cat") == []


# Over HTTP.


async def test_a_preview_tells_and_changes_nothing(store: Store) -> None:
    await store.remember("A cat.", "A dog.", {"content": "A bird.", "pinned": True})
    before = await _rows(store)
    at = now() + timedelta(days=4)

    told = await preview(store, at)

    assert (told["examined"], told["faded"], told["archives"]) == (2, 2, False)
    assert told["policy"]["archiving"] == "off"
    assert [one["content"] for one in told["items"]] == ["A cat.", "A dog."]
    first = told["items"][0]
    assert first["retention"] == math.exp(-first["elapsed_days"]) < 0.05
    assert first["survival"] == pytest.approx(math.exp(-4), rel=0.01)
    assert now() < datetime.fromisoformat(first["fades_at"]) < at
    assert (await preview(store, now() + timedelta(days=2)))["faded"] == 0
    assert await _rows(store) == before


async def _rows(store: Store) -> list[tuple[object, ...]]:
    scope = await store.scope()
    return await store.rows(
        "SELECT m.*, (SELECT count(*) FROM memory_events e WHERE e.owner_id = m.owner_id) "
        "FROM memories m WHERE owner_id = :owner_id ORDER BY ordinal",
        owner_id=scope.owner_id,
    )


async def test_another_policy_can_be_tried_out(store: Store) -> None:
    await store.remember("A cat.", "A dog.")
    at = now() + timedelta(days=4)

    gentle = await preview(store, at, policy={"archiving": "threshold", "threshold": 0.001})
    harsh = await preview(store, at, policy={"archiving": "threshold", "threshold": 0.5})

    assert (gentle["faded"], harsh["faded"]) == (0, 2)
    assert harsh["archives"]
    assert (await preview(store, at))["policy"]["archiving"] == "off"


async def test_a_preview_comes_in_pages(store: Store) -> None:
    await store.remember(*[f"memory {number}" for number in range(5)], infer="none")
    at = now() + MONTH
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        page = await preview(store, at, limit=2, cursor=cursor)
        assert page["faded"] == 5
        seen += [one["content"] for one in page["items"]]
        cursor = page["next_cursor"]

    assert seen == [f"memory {number}" for number in range(5)]
    assert cursor is None


async def test_of_an_unknown_user_nothing_would_fade(store: Store) -> None:
    told = await preview(store, now() + MONTH, user_id="nobody")

    assert (told["examined"], told["items"]) == (0, [])


async def test_a_run_is_a_job(store: Store) -> None:
    await store.remember("A cat.", infer="none")

    answer = await store.send("POST", "/v1/forgetting:run", {"user_id": "alice"})
    again = await store.send("POST", "/v1/forgetting:run", {"user_id": "alice"})

    assert answer.status_code == 202
    job = await store.get(f"/v1/jobs/{answer.json()['job_id']}")
    assert (job["kind"], [task["name"] for task in job["tasks"]]) == ("forget", ["forgetting.run"])
    assert again.json() == answer.json()  # it waits still, and does for both


async def test_nobody_can_be_made_to_forget_who_is_unknown(store: Store) -> None:
    unknown = await store.send("POST", "/v1/forgetting:run", {"user_id": "nobody"})
    unnamed = await store.send("POST", "/v1/forgetting:run", {})

    assert (unknown.status_code, code_of(unknown)) == (404, "owner-not-found")
    assert (unnamed.status_code, code_of(unnamed)) == (422, "owner-required")


async def _bound(store: Store, **to: str) -> str:
    body = {"name": "bound", "scopes": ["write"], **to}
    made = await store.send("POST", "/v1/keys", body)
    assert made.status_code == 201, made.text
    return str(made.json()["key"])


async def test_a_key_bound_to_an_agent_sees_its_own_and_runs_nothing_for_users(
    store: Store,
) -> None:
    await store.remember("A cat.", infer="none")
    await store.remember("A dog.", agent_id="helper", infer="none")
    both: Json = {"user_id": "alice", "agent_id": "helper"}
    at = (now() + MONTH).isoformat()
    async with client_of(store.app, await _bound(store, agent_id="helper")) as bound:
        told = await bound.post("/v1/forgetting:preview", json={**both, "at": at})
        run = await bound.post("/v1/forgetting:run", json=both)
        other = await bound.post("/v1/forgetting:preview", json={"user_id": "alice", "at": at})
        curves = await bound.get("/v1/users/alice/forgetting.json")

    assert [one["content"] for one in told.json()["items"]] == ["A dog."]
    for refused in (run, other, curves):
        assert (refused.status_code, code_of(refused)) == (403, "other-owner")


async def test_a_key_bound_to_a_user_may_let_that_user_forget(store: Store) -> None:
    await store.remember("A cat.", infer="none")
    async with client_of(store.app, await _bound(store, user_id="alice")) as bound:
        own = await bound.post("/v1/forgetting:run", json={"user_id": "alice"})
        other = await bound.post("/v1/forgetting:run", json={"user_id": "bob"})

    assert own.status_code == 202
    assert other.status_code == 403
