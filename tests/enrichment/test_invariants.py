"""The checks of ``invariants`` see what they are there for: each is shown a broken store."""

import pytest
import sqlalchemy as sa

from tests.enrichment import invariants
from tests.enrichment.helpers import chain, life, owner_tables
from tests.forgetting.helpers import settle
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg

_OF = "owner_id = :owner_id"
_BREAKS = {
    "orphans in notes": f"UPDATE notes SET memory_ordinal = 99 WHERE {_OF} AND memory_ordinal = 1",
    "orphans in note_links": f"UPDATE note_links SET target_ordinal = -1 WHERE {_OF}",
    "orphans in memory_sources": f"UPDATE memory_sources SET source_ordinal = 99 WHERE {_OF} "
    "AND source_ordinal IS NOT NULL",
    "a note is near an erased": f"UPDATE notes SET neighbours = '{{99}}' WHERE {_OF}",
    "second-hand words of nobody": f"UPDATE notes SET tags = '{{quagga}}' WHERE {_OF}",
    "second-hand words on record": f"UPDATE note_evolutions SET before = "
    f'before || \'{{"tags": ["quagga"]}}\' WHERE {_OF}',
    "a change of a note names an erased": f"UPDATE note_evolutions SET sources = '{{99}}' "
    f"WHERE {_OF}",
    "day_summaries names an erased": f"UPDATE day_summaries SET source_ordinals = '{{99}}' "
    f"WHERE {_OF}",
    "day_summaries cites an erased": f"UPDATE day_summaries SET lines = "
    f"'[{{\"sources\": [99]}}]' WHERE {_OF}",
    "shades shows an erased": f"UPDATE shades SET document = "
    f'\'{{"timeline": [{{"memory_id": "gone"}}]}}\' WHERE {_OF}',
    "a derived memory without a source": f"DELETE FROM memory_sources WHERE {_OF} "
    "AND source_ordinal IS NOT NULL",
    "names nothing": f"UPDATE thoughts SET status = 'merged', replaced_by = NULL WHERE {_OF}",
    "two agents' memories in one": f"UPDATE memories SET agent_id = 'cook' WHERE {_OF} "
    "AND generated_by IS NULL",
    "in a circle": f"UPDATE thoughts SET status = 'merged', replaced_by = memory_ordinal "
    f"WHERE {_OF}",
    "an active thought was replaced": f"UPDATE thoughts SET replaced_by = memory_ordinal "
    f"WHERE {_OF} AND status = 'active'",
    "disagree on tombstones": f"UPDATE memories SET replaced_by = id WHERE {_OF} "
    "AND generated_by IS NULL",
    "without a vector": f"DELETE FROM derived_vectors_:model WHERE {_OF} AND space = 'note'",
    "vectors of nothing": f"DELETE FROM notes WHERE {_OF} AND memory_ordinal = 1",
    "lies under no hash": f"UPDATE thoughts SET hash_version = 7 WHERE {_OF}",
    "a cursor ran ahead": f"UPDATE mechanism_cursors SET ordinal = 9999 WHERE {_OF}",
    "a shade's size is wrong": f"UPDATE shades SET size = size + 1 WHERE {_OF}",
    "recalls were lost or counted twice": f"UPDATE memories SET recall_count = 7 WHERE {_OF}",
    "a fact names an erased": f"UPDATE facts SET source_ordinals = '{{99}}' WHERE {_OF}",
    "the newer is the older": f"UPDATE conflicts SET older_ordinal = newer_ordinal, "
    f"newer_ordinal = older_ordinal WHERE {_OF}",
    "facts of other observations": f"UPDATE facts SET object = 'Nowhere' WHERE {_OF}",
    "a segment names an erased turn": f"UPDATE segments SET members = '{{99}}', "
    f"representatives = '{{99}}' WHERE {_OF}",
    "stood for by another's turn": f"UPDATE segments SET representatives = '{{3}}' WHERE {_OF} "
    "AND first_ordinal = 1",
    "a turn is in two segments": f"UPDATE segments SET members = '{{1}}', "
    f"representatives = '{{1}}' WHERE {_OF}",
    "two sessions or agents in one": f"UPDATE segments SET session_id = 'other' WHERE {_OF}",
    "holds another owner's": f"UPDATE notes SET context = 'a quokka' WHERE {_OF}",
}
"""What a check says, and what is done to the rows to make it say so."""


async def _break(store: Store, statement: str) -> None:
    """Change rows behind the back of all constraints."""
    scope = await store.scope()
    (model,) = [t for t in await owner_tables(store) if t.startswith("derived_vectors_")][:1]
    statement = statement.replace("derived_vectors_:model", model)
    async with store.engine.begin() as connection:
        await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        done = await connection.execute(sa.text(statement), {"owner_id": scope.owner_id})
        assert done.rowcount > 0, "nothing was broken"


@pytest.mark.parametrize("complaint", _BREAKS)
async def test_a_broken_store_is_noticed(store: Store, complaint: str) -> None:
    await store.remember(*life())
    await chain(store)
    await invariants.check(store, foreign="quokka")

    await _break(store, _BREAKS[complaint])

    with pytest.raises(AssertionError, match=complaint):
        await invariants.check(store, foreign="quokka")


async def test_a_recall_that_is_not_noted_is_noticed(store: Store) -> None:
    (one,) = await store.remember("I like tea.")

    with pytest.raises(AssertionError, match="not noted"):
        await invariants.was_retained_whole_when_recalled(store, one["id"])

    await store.recall("tea", reinforce=True)
    await settle(store)
    await invariants.was_retained_whole_when_recalled(store, one["id"])


async def test_a_row_that_outlives_its_owner_is_noticed(store: Store) -> None:
    await store.remember(*life())
    await chain(store)
    owner_id = (await store.scope()).owner_id

    with pytest.raises(AssertionError, match="still holds"):
        await invariants.nothing_is_left(store, owner_id)

    assert (await store.client.delete("/v1/users/alice")).is_success
    await invariants.nothing_is_left(store, owner_id)
