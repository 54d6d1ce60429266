"""What is left in notes of memories that are erased, edited or archived: nothing of their words."""

import pytest

from tests.linking.helpers import CATS, TAX, evolutions, links, note, organise, remembered
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg

CHAIN = (
    "alpha bravo charlie delta echo foxtrot",
    "delta echo foxtrot golf hotel india",
    "golf hotel india juliet kilo lima",
)
"""The first is near to the second only, the second to the third."""


async def tags(store: Store, memory_id: str) -> list[str]:
    found: list[str] = (await note(store, memory_id))["tags"]
    return found


async def chained(store: Store) -> list[str]:
    ids = []
    for said in CHAIN:
        ids += [one["id"] for one in await store.remember(said)]
        await organise(store, least_cosine=0.25)
    assert "alpha" in await tags(store, ids[1])
    assert "alpha" in await tags(store, ids[2])
    return ids


async def near(store: Store) -> dict[int, list[int]]:
    """Return by ordinal which notes each note has among its nearest."""
    scope = await store.scope()
    rows = await store.rows(
        "SELECT memory_ordinal, neighbours FROM notes WHERE owner_id = :o", o=scope.owner_id
    )
    return dict(row for row in map(tuple, rows))


async def test_erased_words_are_gone_from_notes_they_came_to_at_second_hand(store: Store) -> None:
    ids = await chained(store)

    await store.erase(ids[0])

    assert "alpha" not in await tags(store, ids[1])
    assert "alpha" not in await tags(store, ids[2])
    assert "alpha" not in str([await evolutions(store, one) for one in ids[1:]])
    assert set(await tags(store, ids[1])) < set(await tags(store, ids[2]))


async def test_edited_words_are_gone_from_notes_they_came_to_at_second_hand(store: Store) -> None:
    ids = await chained(store)

    await store.edit(ids[0], content="something else altogether")
    await organise(store, least_cosine=0.25)

    assert "alpha" not in str([await note(store, one) for one in ids])
    assert "alpha" not in str([await evolutions(store, one) for one in ids])


async def test_a_link_that_stays_can_still_be_undone(store: Store) -> None:
    ids = await remembered(store, *CATS)

    await store.erase(ids[0])
    (change,) = await evolutions(store, ids[2])
    kept = await links(store, ids[2])
    path = f"/v1/memories/{ids[2]}/evolutions/{change['id']}:revert"
    answer = await store.client.post(path)

    assert kept == {frozenset(ids[1:])}
    assert answer.status_code == 200, answer.text
    assert await tags(store, ids[2]) == change["before"]["tags"]
    assert await links(store, ids[2]) == set()


async def test_erased_and_edited_memories_are_nobodys_nearest(store: Store) -> None:
    ids = await remembered(store, *CATS)
    assert (await near(store))[3]

    await store.erase(ids[0])
    await store.edit(ids[1], content=TAX)
    await organise(store)

    assert await near(store) == {2: [], 3: []}


@pytest.mark.parametrize("end", ["archive", "erase"])
async def test_memories_that_went_leave_their_places_to_others(store: Store, end: str) -> None:
    base, *copies = await remembered(
        store, *[f"{CATS[0]} {'at night' * (n > 0)}" for n in range(9)]
    )
    for one in copies:
        await getattr(store, end)(one)
    await organise(store)

    (new,) = await remembered(store, "Miso the grey cat plays with a ball")

    assert await links(store, new) == {frozenset((new, base))}


async def test_a_restored_memory_meets_what_was_stored_meanwhile(store: Store) -> None:
    first, second = await remembered(store, *CATS[:2])
    await store.archive(first)
    await organise(store)
    (third,) = await remembered(store, CATS[2])
    before = await evolutions(store, second)

    await store.restore(first)
    await organise(store)

    expected = {frozenset((first, second)), frozenset((first, third))}
    assert await links(store, first) == expected
    assert await evolutions(store, second) == before


async def test_a_link_that_was_undone_does_not_come_back_with_a_restore(store: Store) -> None:
    first, second = await remembered(store, *CATS[:2])
    (change,) = await evolutions(store, second)
    path = f"/v1/memories/{second}/evolutions/{change['id']}:revert"
    assert (await store.client.post(path)).status_code == 200

    await store.archive(first)
    await organise(store)
    await store.restore(first)
    await organise(store)

    assert await links(store, first) == set()


@pytest.mark.parametrize("together", [1, 9])
async def test_many_near_memories_of_another_agent_hide_none(store: Store, together: int) -> None:
    await remembered(store, *[f"{CATS[0]} {n}" for n in range(30)], agent_id="loud")
    (first,) = await remembered(store, CATS[1], agent_id="quiet")

    others = [f"matter{n} of{n} its{n} own{n}" for n in range(together - 1)]
    ids = await remembered(store, CATS[0], *others, agent_id="quiet")

    assert await links(store, first) == {frozenset((first, ids[0]))}
