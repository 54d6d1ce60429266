"""The recipe ``thoughts``: verbatim hits, and what the nearest thoughts stand on."""

import pytest

from tests.memories.helpers import Json, Sent, Store
from tests.thoughts.helpers import enrich, said

pytestmark = pytest.mark.pg

LONG = "I have to say that the weather was dreadful all week, and my bicycle broke. "


async def _recall(store: Store, query: str, **more: Sent) -> list[Json]:
    return list((await store.recall(query, recipe="thoughts", **more))["hits"])


async def test_the_source_of_a_near_thought_is_raised(store: Store) -> None:
    """The thought lies nearer to the question than the long message that holds it.

    It stands behind the message's first window, whose tokens alone are compared.
    """
    wanted = said(1, LONG * 12 + "I live in Zagreb. " + LONG * 12)
    others = [said(n, f"Zagreb was on the news again, part {n}.") for n in range(2, 30)]
    (stored, *_) = await store.remember(wanted, *others)
    await enrich(store)
    query = "My home is in Zagreb."

    default = [hit["id"] for hit in (await store.recall(query, limit=30))["hits"]]
    fused = [hit["id"] for hit in await _recall(store, query, limit=30)]

    assert fused.index(stored["id"]) < default.index(stored["id"])
    assert set(fused) == set(default)


async def test_hits_are_verbatim_each_once_within_the_limit(store: Store) -> None:
    await store.remember(*(said(n, f"I like thing {n}.") for n in range(20)))
    await enrich(store)

    hits = await _recall(store, "Alice: I like thing 3", limit=7)

    assert {hit["kind"] for hit in hits} == {"episode"}
    assert len({hit["id"] for hit in hits}) == len(hits) == 7
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 1


async def test_sources_pass_the_same_narrowing(store: Store) -> None:
    await store.remember(said(1, "I like tea.", session_id="one"))
    await store.remember(said(2, "I like jazz.", session_id="two"))
    await enrich(store)

    hits = await _recall(store, "I like", session_id="two")

    assert [hit["content"] for hit in hits] == ["I like jazz."]


async def test_without_thoughts_it_answers_as_default(store: Store) -> None:
    await store.remember(said(1, "I like tea."), said(2, "I like jazz."))

    default = (await store.recall("tea"))["hits"]
    fused = await _recall(store, "tea")

    assert [hit["id"] for hit in fused] == [hit["id"] for hit in default]


async def test_while_the_embedder_is_away_it_answers_by_keywords(store: Store) -> None:
    await store.remember(said(1, "I like tea."))
    await enrich(store)
    store.embedder.failing = True

    answer = await store.recall("tea", recipe="thoughts")

    assert [hit["content"] for hit in answer["hits"]] == ["I like tea."]
    assert answer["degraded"] == ["dense"]
