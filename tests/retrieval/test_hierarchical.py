"""The recipe ``hierarchical``: first the segments that a question is about, then their turns."""

import pytest

from tests.memories.helpers import Json, Sent, Store, at
from tests.segmentation.helpers import TOPICS, chat, segmented, segments, topical

pytestmark = pytest.mark.pg

GARDEN = "tomatoes beans water"


async def _told(store: Store) -> list[str]:
    """Let Alice talk of four topics; return the ids of her turns."""
    ids = [one["id"] for one in await store.remember(*chat(0, 1, 2, 3))]
    await segmented(store)
    assert len(await segments(store)) == len(TOPICS)
    return ids


async def _hits(store: Store, query: str = GARDEN, **more: Sent) -> list[Json]:
    asked = {"recipe": "hierarchical", "limit": 50, "retention": False, **more}
    hits: list[Json] = (await store.recall(query, **asked))["hits"]
    return hits


def _ids(hits: list[Json]) -> list[str]:
    return [hit["id"] for hit in hits]


async def test_hits_are_turns_of_the_nearest_segment_alone(store: Store) -> None:
    ids = await _told(store)

    assert set(_ids(await _hits(store, segments=1))) == set(ids[:12])
    assert set(_ids(await _hits(store, TOPICS[2], segments=1))) == set(ids[24:36])


async def test_with_all_segments_it_is_the_default_recipe(store: Store) -> None:
    await _told(store)

    default = await store.recall(GARDEN, limit=50, retention=False, explain=True)

    assert await _hits(store, segments=4, explain=True) == default["hits"]


async def test_inside_a_segment_the_order_is_that_of_the_default_recipe(store: Store) -> None:
    ids = await _told(store)

    until_its_end: dict[str, Sent] = {"limit": 50, "retention": False, "as_of": at(11)}
    default = _ids((await store.recall(GARDEN, recipe="default", **until_its_end))["hits"])

    assert set(default) == set(ids[:12])
    assert _ids(await _hits(store, segments=1)) == default


async def test_what_is_in_no_segment_yet_is_found_all_the_same(store: Store) -> None:
    await _told(store)
    (new,) = await store.remember({"content": "A trombone.", "session_id": "t"})
    (verbatim,) = await store.remember({"content": "A tuba.", "session_id": "t"}, infer="none")
    await store.remember(*chat(1, turns=9, start=500))
    assert new["id"] in _ids(await _hits(store, "trombone", segments=1))

    await segmented(store)

    assert verbatim["id"] in _ids(await _hits(store, segments=1))


async def test_without_segments_it_is_the_default_recipe(store: Store) -> None:
    await store.remember(*chat(0, 1))

    default = await store.recall(GARDEN, limit=50, retention=False)

    assert await _hits(store) == default["hits"]


async def test_erased_turns_count_for_no_segment(store: Store) -> None:
    said = [
        {"content": topical(topic, n), "session_id": f"s{topic}", "occurred_at": at(n)}
        for topic in (0, 1)
        for n in range(4)
    ]
    said[5]["content"] = "tomatoes beans water tomatoes beans water soil"
    ids = [one["id"] for one in await store.remember(*said)]
    await segmented(store)

    await store.erase(ids[5])
    scope = await store.scope()
    means = "SELECT cardinality(means) FROM segments WHERE owner_id = :owner_id ORDER BY 1"
    assert await store.rows(means, owner_id=scope.owner_id) == [(0,), (1,)]
    assert ids[5] not in _ids(await _hits(store, segments=1))
    await segmented(store)

    assert await store.rows(means, owner_id=scope.owner_id) == [(1,), (1,)]
    assert set(_ids(await _hits(store, segments=1))) == set(ids[:4])


async def test_filters_hold_within_segments(store: Store) -> None:
    ids = await _told(store)

    hits = await _hits(store, segments=1, filters={"occurred_at": {"lt": at(3)}})
    late = await _hits(store, segments=1, as_of=at(2))

    assert set(_ids(hits)) == set(_ids(late)) == set(ids[:3])


async def test_while_the_embedder_is_away_keywords_look_everywhere(store: Store) -> None:
    ids = await _told(store)
    store.embedder.failing = True

    answer = await store.recall("violin", recipe="hierarchical", segments=1, limit=50)

    assert answer["degraded"] == ["dense"]
    assert set(_ids(answer["hits"])) <= set(ids[12:25]), "a keyword key holds the turn before"
    assert answer["hits"]
