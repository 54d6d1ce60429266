"""A task that runs again, or was cut off anywhere, leaves what one quiet run leaves."""

import random

import pytest

from app.ingestion.service import ENRICHMENT_TASKS
from tests.enrichment import invariants
from tests.enrichment.helpers import alike, chain, contents, fingerprint, life
from tests.enrichment.mortal import KilledError, Moment, Mortal
from tests.enrichment.whims import Whims
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg


async def _count(store: Store) -> int:
    """Return how many transactions of the chain write."""
    database = Mortal(store.database, dies_at=None, moment="before")
    await store.remember(*life(), user_id="calm")
    await chain(store, "calm", database=database)
    return database.written


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_process_killed_at_any_commit_loses_nothing(store: Store, moment: Moment) -> None:
    number = await _count(store)
    expected = await alike(store, "calm")
    assert expected["thoughts"]
    assert expected["note_links"]
    assert expected["day_summaries"]
    assert expected["profiles"]
    assert expected["facts"]
    assert expected["conflicts"]

    for dies_at in range(1, number + 1):
        user = f"killed{dies_at}"
        await store.remember(*life(), user_id=user)
        database = Mortal(store.database, dies_at=dies_at, moment=moment)
        with pytest.raises(KilledError):
            await chain(store, user, database=database)
        await invariants.check(store, user)

        await chain(store, user)

        assert await alike(store, user) == expected, f"killed at transaction {dies_at}"


@pytest.mark.parametrize("task", ENRICHMENT_TASKS)
async def test_any_task_run_again_changes_nothing(store: Store, task: str) -> None:
    await store.remember(*life())
    await chain(store)
    before = await fingerprint(store)

    await chain(store, tasks=[task, task])

    assert await fingerprint(store) == before


async def test_the_chain_with_a_language_model_run_again_changes_nothing(store: Store) -> None:
    whims = Whims(random.Random(1))
    await store.remember(*life())
    await chain(store, llm=whims.model)
    before, asked = await fingerprint(store), len(whims.model.asked)

    await chain(store, llm=whims.model)

    assert await fingerprint(store) == before
    assert len(whims.model.asked) == asked, "it was paid for twice"


async def test_what_was_edited_or_archived_is_in_nothing_that_is_made_of_memories(
    store: Store,
) -> None:
    stored = await store.remember(*life())
    await chain(store)

    await store.edit(stored[0]["id"], content="I live in Paris.")
    await store.archive(stored[2]["id"])
    await chain(store)

    held = await contents(store)
    for table in ("thoughts", "day_summaries", "shades"):
        assert "berlin" not in repr(held[table]).lower()
        assert "tea" not in repr(held[table]).lower().replace("teach", "")
    assert "berlin" not in repr(held["notes"]).lower()
    known = [row for row in held["facts"] if row["known_to"] is None]
    assert "berlin" not in repr(known).lower()
    assert "paris" in repr(known).lower()
    assert "paris" in repr(held["thoughts"]).lower()
    await invariants.check(store)
