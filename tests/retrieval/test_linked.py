"""The recipe ``linked``: what is linked to the hits comes behind them, marked, and narrowed."""

import pytest

from app.retrieval.kernel.linked import NOTE_WEIGHT
from tests.linking.helpers import organise
from tests.memories.helpers import Json, Sent, Store, at

pytestmark = pytest.mark.pg

CHAIN = (
    "alpha bravo charlie delta echo foxtrot",
    "delta echo foxtrot golf hotel india",
    "golf hotel india juliet kilo lima",
)
"""Neighbours share words; the question is about the first only."""


async def _chain(store: Store, **more: object) -> list[str]:
    said = [{"content": text, "occurred_at": at(minute)} for minute, text in enumerate(CHAIN)]
    ids = [one["id"] for one in await store.remember(*said, **more)]
    await organise(store, least_cosine=0.25)
    return ids


async def _hits(store: Store, **more: Sent) -> list[Json]:
    recalled = await store.recall("alpha bravo", recipe="linked", limit=1, **more)
    hits: list[Json] = recalled["hits"]
    return hits


async def test_what_is_linked_comes_behind_the_hits_and_names_its_hit(store: Store) -> None:
    ids = await _chain(store)

    hits = await _hits(store)

    assert [hit["id"] for hit in hits] == ids[:2]
    assert [hit["linked_from"] for hit in hits] == [None, ids[0]]
    assert hits[1]["score"] < hits[0]["score"]


async def test_a_note_near_those_of_the_best_hits_lifts_a_hit(store: Store) -> None:
    said = ("alpha bravo charlie delta", "alpha kilo lima", "bravo mike charlie delta charlie")
    near = (await store.remember(*said))[2]
    plain = (await store.recall("alpha bravo", explain=True))["hits"]

    await organise(store)
    linked = (await store.recall("alpha bravo", recipe="linked", explain=True))["hits"]

    before = next(hit["score"] for hit in plain if hit["id"] == near["id"])
    after = next(hit for hit in linked if hit["id"] == near["id"])["explain"]["features"]
    assert {hit["id"] for hit in linked} == {hit["id"] for hit in plain}
    assert after["note"] > 0
    for hit in linked:
        told = hit["explain"]
        assert told["relevance"] == pytest.approx(sum(told["features"].values()))
    rest = sum(value for name, value in after.items() if name != "note")
    assert rest == pytest.approx(before / (1 + NOTE_WEIGHT), rel=1e-3)


async def test_what_is_linked_passes_the_same_filters(store: Store) -> None:
    ids = await _chain(store)

    early = await _hits(store, filters={"occurred_at": {"lte": at(0.5)}})
    before = await _hits(store, as_of=at(0.5))

    assert [hit["id"] for hit in early] == [hit["id"] for hit in before] == ids[:1]


async def test_archived_and_erased_memories_are_not_linked_to(store: Store) -> None:
    ids = await _chain(store)

    await store.archive(ids[1])
    archived = await _hits(store)
    await store.erase(ids[1])
    erased = await _hits(store)

    assert [hit["id"] for hit in archived] == [hit["id"] for hit in erased] == ids[:1]


async def test_a_least_score_holds_for_what_is_linked_as_well(store: Store) -> None:
    ids = await _chain(store)

    assert [hit["id"] for hit in await _hits(store, min_score=0.7)] == ids[:1]


async def test_without_notes_the_recipe_is_the_default(store: Store) -> None:
    stored = await store.remember(*CHAIN)

    assert [hit["id"] for hit in await _hits(store)] == [stored[0]["id"]]
