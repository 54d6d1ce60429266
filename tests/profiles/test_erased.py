"""What was made of erased memories goes with them."""

import pytest

from tests.memories.helpers import Store
from tests.profiles.helpers import enrich, profile, said, topics

pytestmark = pytest.mark.pg


async def test_erased_words_leave_every_version_at_once(store: Store) -> None:
    stored = await store.remember(
        *topics(), *(said("2026-03-24", f"Garden tomatoes and zanzibar {i}.") for i in range(2))
    )
    await enrich(store)
    assert await _holds(store, "zanzibar")

    for one in stored[-2:]:
        await store.erase(one["id"])

    assert not await _holds(store, "zanzibar")
    await enrich(store)
    assert not await _holds(store, "zanzibar")
    garden = next(one for one in (await profile(store))["shades"] if "garden" in one["name"])
    gone = {one["id"] for one in stored[-2:]}
    assert not gone & {entry["memory_id"] for entry in garden["timeline"]}


async def _holds(store: Store, word: str) -> bool:
    """Tell whether any text made of what Alice said has the word."""
    scope = await store.scope()
    found = []
    for table in ("day_summaries", "shades", "profiles"):
        found += await store.rows(
            f"SELECT CAST(t AS text) FROM {table} t WHERE owner_id = :o", o=scope.owner_id
        )
    return any(word in row[0].lower() for row in found)


async def test_erasing_the_user_leaves_nothing(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)
    scope = await store.scope()

    answer = await store.client.delete("/v1/users/alice")

    assert answer.status_code == 200
    assert answer.json()["erased"]["shades"] >= 1
    tables = ("day_summaries", "shades", "shade_members", "profiles", "profile_states")
    for table in tables:
        rows = await store.rows(f"SELECT 1 FROM {table} WHERE owner_id = :o", o=scope.owner_id)
        assert rows == []
