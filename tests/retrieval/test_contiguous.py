"""The recipe ``contiguous``: a share of the hits are the turns beside the others, and say so."""

import pytest

from tests.memories.helpers import Json, Sent, Store, at

pytestmark = pytest.mark.pg

SAID = (
    "Let us talk about the weekend.",
    "What shall we do about alpha bravo?",
    "Charlie said yes on Monday.",
    "Fine with me then.",
    "Nothing else is known.",
)


async def _told(store: Store, **more: Sent) -> list[str]:
    said = [
        {"content": text, "session_id": "s", "occurred_at": at(minute)}
        for minute, text in enumerate(SAID)
    ]
    return [one["id"] for one in await store.remember(*said, **more)]


async def _hits(store: Store, limit: int = 3, **more: Sent) -> list[Json]:
    asked = {"recipe": "contiguous", "limit": limit, **more}
    hits: list[Json] = (await store.recall("alpha bravo", **asked))["hits"]
    return hits


async def test_the_turns_beside_a_hit_come_behind_the_hits_and_name_it(store: Store) -> None:
    ids = await _told(store)

    hits = await _hits(store, 2)

    assert [hit["id"] for hit in hits] == [ids[1], ids[2]]
    assert [hit["neighbour_of"] for hit in hits] == [None, ids[1]]
    assert hits[1]["score"] < hits[0]["score"]


async def test_three_of_ten_are_neighbours(store: Store) -> None:
    said = [
        {"content": f"alpha bravo {n}" if n % 3 == 1 else f"word{n} other{n} thing{n}",
         "session_id": "s", "occurred_at": at(n)}
        for n in range(60)
    ]  # fmt: skip
    await store.remember(*said)

    hits = await _hits(store, 10)

    assert [hit["neighbour_of"] is not None for hit in hits] == [False] * 7 + [True] * 3
    assert len({hit["id"] for hit in hits}) == 10


async def test_the_hits_by_similarity_are_those_of_the_default_recipe(store: Store) -> None:
    await _told(store)

    default = (await store.recall("alpha bravo", limit=10))["hits"]
    hits = await _hits(store, 10)

    similar = [hit["id"] for hit in hits if hit["neighbour_of"] is None]
    assert similar == [hit["id"] for hit in default][: len(similar)]
    assert sorted(hit["id"] for hit in hits) == sorted(hit["id"] for hit in default)


async def test_without_a_session_nothing_stands_beside(store: Store) -> None:
    await store.remember(*SAID)

    default = (await store.recall("alpha bravo", limit=3))["hits"]

    assert [hit["id"] for hit in await _hits(store)] == [hit["id"] for hit in default]
    assert [hit["neighbour_of"] for hit in await _hits(store)] == [None] * 3


async def test_neighbours_are_of_the_same_session_and_agent(store: Store) -> None:
    await store.remember("Before all that.", session_id="other")
    ids = await _told(store)
    await store.remember({"content": "Another agent's.", "session_id": "s"}, agent_id="cook")

    hits = await _hits(store, 10)

    marked = {hit["id"]: hit["neighbour_of"] for hit in hits if hit["neighbour_of"]}
    assert set(marked) <= set(ids)


async def test_neighbours_pass_the_same_filters(store: Store) -> None:
    ids = await _told(store)

    early = await _hits(store, 2, filters={"occurred_at": {"lte": at(1.5)}})

    assert [hit["id"] for hit in early] == [ids[1], ids[0]]


async def test_archived_and_erased_turns_stand_beside_nothing(store: Store) -> None:
    ids = await _told(store)

    await store.archive(ids[2])
    assert [hit["id"] for hit in await _hits(store, 2)] == [ids[1], ids[3]]
    await store.erase(ids[3])
    assert [hit["id"] for hit in await _hits(store, 2)] == [ids[1], ids[4]]


async def test_a_least_score_holds_for_neighbours_as_well(store: Store) -> None:
    ids = await _told(store)
    best, beside = (hit["score"] for hit in await _hits(store, 2))

    hits = await _hits(store, 2, min_score=(best + beside) / 2)

    assert [hit["id"] for hit in hits] == ids[1:2]


async def test_one_hit_has_no_room_for_neighbours(store: Store) -> None:
    ids = await _told(store)

    assert [hit["id"] for hit in await _hits(store, 1)] == [ids[1]]
