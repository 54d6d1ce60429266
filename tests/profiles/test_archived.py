"""What stands on archived memories only is not shown, from the moment they are archived."""

from datetime import UTC, datetime

import pytest

from tests.memories.helpers import Json, Store
from tests.profiles.helpers import enrich, profile, said, texts, topics

pytestmark = pytest.mark.pg

DAY = "2026-03-20"


async def _everything(store: Store) -> str:
    """Return all that can be read of Alice's profile."""
    paths = ("summaries", "profile", "shades")
    texts = [str(await store.get(f"/v1/users/alice/{path}")) for path in paths]
    texts.append(str(await profile(store, version=1)))
    texts.append(str(await store.get("/v1/users/alice/profile/diff", **{"from": 0, "to": 1})))
    exported = await store.client.get("/v1/users/alice/export/sft")
    prompt = await store.context("What do I like?", max_tokens=5_000)
    return " ".join([*texts, exported.text, str(prompt)])


async def _whispered(store: Store) -> Json:
    (stored,) = await store.remember(said(DAY, "I hid the zanzibar treasure in the attic."))
    return stored


async def test_an_archived_line_is_nowhere_before_anything_is_made_anew(store: Store) -> None:
    await store.remember(*topics())
    stored = await _whispered(store)
    await enrich(store)
    assert "zanzibar" in await _everything(store)

    await store.archive(stored["id"])

    assert "zanzibar" not in await _everything(store)


async def test_restored_it_is_shown_again(store: Store) -> None:
    await store.remember(*topics())
    stored = await _whispered(store)
    await enrich(store)
    before = await profile(store)
    await store.archive(stored["id"])

    await store.send("POST", f"/v1/memories/{stored['id']}:restore", {})

    assert await profile(store) == before


async def test_an_expired_line_is_nowhere(store: Store) -> None:
    await store.remember(*topics())
    stored = await _whispered(store)
    await enrich(store)

    await store.edit(stored["id"], expires_at=datetime(2026, 3, 21, tzinfo=UTC).isoformat())

    assert "zanzibar" not in await _everything(store)


async def test_a_shade_of_archived_memories_only_is_not_shown(store: Store) -> None:
    stored = await store.remember(*topics())
    await enrich(store)

    for one in stored[:5]:
        await store.archive(one["id"])

    shades = (await profile(store))["shades"]
    assert shades
    assert not any("garden" in shade["name"] for shade in shades)


async def test_archived_memories_leave_the_profile(store: Store) -> None:
    stored = await store.remember(*topics())
    await enrich(store)

    for one in stored[:5]:
        await store.archive(one["id"])
    await enrich(store)

    found = await profile(store)
    assert "garden" not in texts(found)
    assert "violin" in texts(found)
