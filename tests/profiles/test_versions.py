"""Versions of a profile: when there is a new one, what is found anew for it, what differs."""

import pytest

from app.kit.settings import ProfileSettings
from app.profiles.service import finding
from tests.api import code_of
from tests.memories.helpers import Store
from tests.profiles.helpers import enrich, profile, said, topics

pytestmark = pytest.mark.pg


async def test_running_again_makes_no_version(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)

    await enrich(store)
    await store.send("POST", "/v1/users/alice/profile:refresh", {})
    await enrich(store)

    assert (await profile(store))["version"] == 1


async def test_a_few_changes_wait_for_more(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)
    patient = ProfileSettings(refresh_share=0.5)

    await store.remember(said("2026-03-21", "The garden is full of tomatoes."))
    await enrich(store, settings=patient)
    waited = (await profile(store))["version"]
    await store.remember(*(said("2026-03-22", f"Tomatoes in the garden {i}.") for i in range(5)))
    await enrich(store, settings=patient)

    assert (waited, (await profile(store))["version"]) == (1, 2)


async def test_old_versions_stay_and_can_be_compared(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)
    await store.remember(*(said("2026-03-20", f"The violin needs practice {i}.") for i in range(9)))
    await enrich(store)

    listed = await store.get("/v1/users/alice/profile/versions")
    first = await profile(store, version=1)
    diff = await store.get("/v1/users/alice/profile/diff", **{"from": 1, "to": 2})
    same = await store.get("/v1/users/alice/profile/diff", **{"from": 2, "to": 2})
    missing = await store.client.get("/v1/users/alice/profile", params={"version": 77})

    assert [one["version"] for one in listed["items"]] == [2, 1]
    assert first["version"] == 1
    changed = {one["id"]: one for one in diff["shades_changed"]}
    violin = next(one for one in first["shades"] if "violin" in one["name"])
    assert changed[violin["id"]]["size"][1] > violin["size"]
    assert diff["biography"]["before"] == first["biography"]["third_person"]
    assert (same["biography"], same["shades_changed"], same["shades_added"]) == (None, [], [])
    assert (missing.status_code, code_of(missing)) == (404, "profile-version-not-found")


async def test_a_full_rebuild_comes_every_so_many_versions(store: Store) -> None:
    await store.remember(*topics())
    often = ProfileSettings(full_every=2, refresh_share=0)
    for i in range(4):
        await store.remember(said("2026-03-20", f"The violin needs practice number {i}."))
        await enrich(store, settings=often)

    listed = (await store.get("/v1/users/alice/profile/versions"))["items"]

    assert [one["is_full"] for one in reversed(listed)] == [True, False, True, False]


async def test_a_shade_keeps_its_id_when_topics_are_found_anew(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)
    before = {one["name"].split(",")[0]: one["id"] for one in (await profile(store))["shades"]}

    await store.remember(said("2026-03-22", "The tomatoes in my garden are red."))
    await store.send("POST", "/v1/users/alice/profile:refresh", {"full": True})
    await enrich(store)

    after = {one["id"] for one in (await profile(store))["shades"]}
    assert set(before.values()) == after


async def test_cut_off_while_places_are_stored_all_topics_are_found_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.remember(*topics())
    await enrich(store)
    before = await profile(store)
    await store.remember(*(said("2026-03-20", f"The violin needs practice {i}.") for i in range(9)))
    await store.send("POST", "/v1/users/alice/profile:refresh", {"full": True})

    with monkeypatch.context() as patched:
        patched.setattr(finding, "_BLOCK", 4)
        patched.setattr(finding, "_store_topics", _cut_off)
        with pytest.raises(ConnectionAbortedError):
            await enrich(store)
    meanwhile = await profile(store)
    await enrich(store)

    after = await profile(store)
    scope = await store.scope()
    strays = await store.rows(
        "SELECT count(*) FROM shade_members m WHERE owner_id = :o AND shade_id IS NOT NULL AND "
        "NOT EXISTS (SELECT FROM shades s WHERE s.owner_id = :o AND s.id = m.shade_id)",
        o=scope.owner_id,
    )
    assert meanwhile == before
    assert after["version"] == 2
    assert {one["id"] for one in after["shades"]} >= {one["id"] for one in before["shades"]}
    assert sum(one["size"] for one in after["shades"]) > sum(
        one["size"] for one in before["shades"]
    )
    assert strays == [(0,)]


async def _cut_off(*_: object) -> None:
    raise ConnectionAbortedError
