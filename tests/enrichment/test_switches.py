"""Each mechanism can be switched off for a tenant; the others do their work all the same."""

import pytest

from tests.enrichment import invariants
from tests.enrichment.helpers import chain, life, switch
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg

MADE = {
    "linking": ("notes", "note_links"),
    "thoughts": ("thoughts",),
    "summaries": ("day_summaries",),
    "profiles": ("profiles", "shade_members"),
}
"""The tables that show that a mechanism was at work."""


@pytest.mark.parametrize("off", MADE)
async def test_one_mechanism_is_off_and_the_rest_works(store: Store, off: str) -> None:
    await switch(store, **{off: False})
    await store.remember(*life())

    await chain(store)

    for mechanism, tables in MADE.items():
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
