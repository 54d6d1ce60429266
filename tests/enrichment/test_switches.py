"""Each mechanism can be switched off for a tenant; the others do their work all the same."""

import pytest

from app.jobs.tasks import JobWorker
from app.memories.service import background
from tests.enrichment import invariants
from tests.enrichment.helpers import chain, fingerprint, life, registry, switch
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg

MADE = {
    "linking": ("notes", "note_links"),
    "thoughts": ("thoughts",),
    "facts": ("facts", "fact_observations"),
    "conflicts": ("conflicts",),
    "summaries": ("day_summaries",),
    "profiles": ("profiles", "shade_members"),
    "segments": ("segments",),
}
"""The tables that show that a mechanism was at work."""


@pytest.mark.parametrize("off", MADE)
async def test_one_mechanism_is_off_and_the_rest_works(store: Store, off: str) -> None:
    await switch(store, **{off: False})
    await store.remember(*life())

    await chain(store)

    for mechanism, tables in MADE.items():
        if (mechanism, off) == ("conflicts", "facts"):
            continue  # this life has conflicts of facts only
        for table in tables:
            assert bool(await store.count(table)) == (mechanism != off), table
    assert await store.by_words("violin")
    await invariants.check(store)


async def test_what_was_switched_off_catches_up_when_it_is_on_again(store: Store) -> None:
    await switch(store, **dict.fromkeys(MADE, False))
    await store.remember(*life())
    await chain(store)
    for table in (table for tables in MADE.values() for table in tables):
        assert await store.count(table) == 0

    await switch(store, **dict.fromkeys(MADE, True))
    await chain(store)

    for table in (table for tables in MADE.values() for table in tables):
        assert await store.count(table), table
    await invariants.check(store)


async def _shown(store: Store) -> str:
    """Return what a user is told that mechanisms made of her memories."""
    asked = {"query": "where do I live", "user_id": "alice"}
    told = [
        (await store.send("POST", "/v1/thoughts:recall", asked)).json(),
        await store.get("/v1/users/alice/thoughts"),
        await store.get("/v1/facts", user_id="alice"),
        await store.get("/v1/conflicts", user_id="alice", status="all"),
        await store.get("/v1/users/alice/summaries"),
        await store.get("/v1/users/alice/profile"),
        await store.get("/v1/users/alice/graph"),
    ]
    profile = (await store.context("where do I live", max_tokens=500))["sections"][0]
    return repr([told, profile if profile["name"] == "profile" else None]).lower()


async def _settled(store: Store) -> list[Json]:
    """Let Alice say that she lives in Madrid among other things, and all mechanisms work."""
    said = [
        {"content": text, "name": "Alice", "occurred_at": at(n)}
        for n, text in enumerate(_LIVING)
    ]  # fmt: skip
    stored = await store.remember(*said)
    await chain(store)
    assert "madrid" in await _shown(store)
    return stored


_LIVING = (
    "I live in Madrid near the park.",
    "I live near the old park in Madrid.",
    "The park in Madrid near which I live is green.",
    "My flat in Madrid is near the park.",
)


@pytest.mark.parametrize("change", ["edit", "archive", "erase"])
@pytest.mark.parametrize("is_late", [False, True])
async def test_what_is_off_does_not_go_on_to_say_what_was_corrected(
    store: Store, change: str, *, is_late: bool
) -> None:
    stored = await _settled(store)
    if not is_late:
        await switch(store, **dict.fromkeys(MADE, False))
    for number, one in enumerate(stored):
        if change == "edit":
            await store.edit(one["id"], content=f"I live in Lisbon near the river {number}.")
        elif change == "archive":
            await store.archive(one["id"])
        else:
            await store.erase(one["id"])
    if is_late:
        await switch(store, **dict.fromkeys(MADE, False))
    await store.remember("Something new.")
    await chain(store)

    assert "madrid" not in await _shown(store)
    await invariants.check(store)
    before = await fingerprint(store)
    await chain(store)
    assert await fingerprint(store) == before

    await switch(store, **dict.fromkeys(MADE, True))
    await chain(store)
    assert ("lisbon" in await _shown(store)) == (change == "edit")
    assert "madrid" not in await _shown(store)
    await invariants.check(store)


async def test_what_is_off_keeps_what_it_made_of_memories_that_did_not_change(store: Store) -> None:
    stored = await store.remember(*life())
    await chain(store)
    await switch(store, **dict.fromkeys(MADE, False))
    made = await store.count("thoughts")

    await store.edit(stored[0]["id"], content="I live in Paris.")
    await chain(store)

    assert 0 < await store.count("thoughts") < made
    for table in ("notes", "day_summaries", "profiles"):
        assert await store.count(table), table


async def _put(store: Store, path: str, **mechanisms: bool) -> None:
    answer = await store.send("PUT", path, {"mechanisms": mechanisms})
    assert answer.status_code == 200, answer.text


async def _work(store: Store) -> None:
    """Do all that is queued."""
    await JobWorker(store.database, registry(store), store.settings).drain()


@pytest.mark.parametrize("path", ["/v1/settings", "/v1/users/alice/settings"])
async def test_what_is_switched_on_takes_up_at_once_what_was_said_before(
    fresh: Store, path: str
) -> None:
    for user in ("alice", "bob"):
        await fresh.remember("I live in Berlin.", user_id=user)
    await _put(fresh, path, **dict.fromkeys(MADE, False))
    await _work(fresh)
    assert await fresh.count("notes") == 0

    await _put(fresh, path, linking=True, thoughts=False)
    await _work(fresh)

    assert await fresh.count("notes") == 1
    assert await fresh.count("thoughts") == 0
    assert await fresh.count("notes", "bob") == 1


async def test_nothing_is_queued_by_settings_that_switch_nothing_on(fresh: Store) -> None:
    await fresh.remember("I live in Berlin.")
    await _work(fresh)
    for change in ({"linking": False}, {"linking": False, "thoughts": False}):
        await _put(fresh, "/v1/settings", **change)

    jobs = (await fresh.get("/v1/jobs"))["items"]

    assert {job["kind"] for job in jobs} == {"enrich"}


async def test_an_owner_that_follows_its_tenant_again_catches_up(fresh: Store) -> None:
    await _put(fresh, "/v1/users/alice/settings", linking=False)
    await fresh.remember("I live in Berlin.")
    await _work(fresh)

    await fresh.send("PUT", "/v1/users/alice/settings", {})
    await _work(fresh)

    assert await fresh.count("notes") == 1


async def test_owners_of_a_tenant_catch_up_in_pages(
    fresh: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_OWNERS", 2)
    users = [f"user{number}" for number in range(5)]
    await _put(fresh, "/v1/settings", linking=False)
    for user in users:
        await fresh.remember("I live in Berlin.", user_id=user)
    await _work(fresh)

    await _put(fresh, "/v1/settings", linking=True)
    await _work(fresh)

    assert [await fresh.count("notes", user) for user in users] == [1] * 5
