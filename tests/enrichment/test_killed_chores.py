"""A worker killed at any commit while it takes back what is off, or catches up on what is on."""

from dataclasses import replace

import pytest

from app.memories.service import background
from tests.enrichment import invariants
from tests.enrichment.helpers import alike, chain, life, registry
from tests.enrichment.mortal import KilledError, Moment, Mortal
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg

OFF = dict.fromkeys(("linking", "thoughts", "facts", "summaries", "profiles"), False)


async def _switched_off(store: Store, user: str) -> None:
    """Let a user be organised, switch all mechanisms off, and correct what was said."""
    stored = await store.remember(*life(), user_id=user)
    await chain(store, user)
    await store.send("PUT", f"/v1/users/{user}/settings", {"mechanisms": OFF})
    await store.edit(stored[0]["id"], content="I live in Paris.")
    await store.archive(stored[2]["id"])


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_what_is_taken_back_is_taken_back_once_wherever_the_worker_dies(
    store: Store, moment: Moment
) -> None:
    await _switched_off(store, "calm")
    made = await alike(store, "calm")
    calm = Mortal(store.database, dies_at=None, moment=moment)
    await chain(store, "calm", database=calm)
    expected = await alike(store, "calm")
    assert len(expected["thoughts"]) < len(made["thoughts"])

    for dies_at in range(1, calm.written + 1):
        user = f"killed{dies_at}"
        await _switched_off(store, user)
        database = Mortal(store.database, dies_at=dies_at, moment=moment)
        with pytest.raises(KilledError):
            await chain(store, user, database=database)
        await invariants.check(store, user)

        await chain(store, user)

        assert await alike(store, user) == expected, f"killed at transaction {dies_at}"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_every_owner_catches_up_once_wherever_the_worker_dies(
    fresh: Store, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_OWNERS", 2)
    users = [f"user{number}" for number in range(5)]
    for user in users:
        await fresh.remember("I live in Berlin.", user_id=user, infer="none")
    context = replace(await fresh.task_context(users[0]), owner_id=None)
    catch_up = registry(fresh).tasks["memories.catch_up"]

    for dies_at in range(1, len(users) + 1):
        database = Mortal(fresh.database, dies_at=dies_at, moment=moment)
        with pytest.raises(KilledError):
            await catch_up(replace(context, database=database))
    await catch_up(context)

    jobs = (await fresh.get("/v1/jobs", kind="enrich"))["items"]
    assert sorted(job["user_id"] for job in jobs) == users
