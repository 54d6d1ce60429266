"""Explain accounts for a score to the last digit, whatever led to the hit."""

import math

import pytest

from app.retrieval.kernel.dates import DAY_WEIGHT
from tests.forgetting.helpers import age
from tests.linking.helpers import organise
from tests.memories.helpers import Json, Sent, Store
from tests.thoughts.helpers import enrich

pytestmark = pytest.mark.pg


async def _hits(store: Store, query: str, **more: Sent) -> list[Json]:
    hits: list[Json] = (await store.recall(query, explain=True, **more))["hits"]
    assert hits
    for hit in hits:
        explained = hit["explain"]
        assert hit["score"] == explained["relevance"] * explained["factor"]
    return hits


async def test_a_score_is_the_sum_of_its_features(store: Store) -> None:
    await store.remember("The cat sleeps.", "The dog barks.", "Does the cat like the dog?")

    for hit in await _hits(store, "cat dog"):
        explained = hit["explain"]
        assert {"lexical", "cosine", "question"} <= set(explained["features"])
        assert explained["relevance"] == pytest.approx(sum(explained["features"].values()))
        assert [explained[name] for name in ("on_day", "thought_rank", "link_weight")] == [None] * 3


async def test_without_a_second_stage_the_arms_alone_count(store: Store) -> None:
    await store.remember("The cat sleeps.", "The dog barks.")

    for hit in await _hits(store, "cat dog", recipe="fused"):
        assert hit["explain"]["relevance"] == hit["explain"]["fused"]
        assert hit["explain"]["features"] == {}


async def test_a_named_day_shows_its_part(store: Store) -> None:
    await store.remember(
        {"content": "We saw a heron.", "occurred_at": "2024-05-03T10:00:00Z"},
        {"content": "We saw a heron and a stork.", "occurred_at": "2024-05-04T10:00:00Z"},
    )

    hits = await _hits(store, "Which heron on May 3, 2024?")

    assert [hit["occurred_at"][:10] for hit in hits] == ["2024-05-03", "2024-05-04"]
    assert hits[0]["explain"]["on_day"] > 0
    assert hits[1]["explain"]["on_day"] == 0
    for hit in hits:
        said = hit["explain"]
        everywhere = sum(said["features"].values())
        mean = (everywhere + DAY_WEIGHT * said["on_day"]) / (1 + DAY_WEIGHT)
        assert said["relevance"] == pytest.approx(mean)


async def test_what_a_link_led_to_shows_the_link_and_fades_too(store: Store) -> None:
    await store.remember("alpha bravo charlie delta echo foxtrot")
    await store.remember("delta echo foxtrot golf hotel india")
    await organise(store, least_cosine=0.25)
    await age(store, 20)

    first, linked = await _hits(store, "alpha bravo", recipe="linked", limit=1)

    said = linked["explain"]
    assert said["fused"] is None
    assert said["relevance"] == pytest.approx(first["explain"]["relevance"] * said["link_weight"])
    assert said["retention"] == pytest.approx(math.exp(-20), rel=0.05)
    assert said["factor"] < 1


async def test_what_a_thought_led_to_shows_its_place(store: Store) -> None:
    await store.remember("I play the violin.", "The weather was fine all week long.")
    await enrich(store)

    hits = await _hits(store, "violin", recipe="thoughts")

    places = {hit["content"]: hit["explain"]["thought_rank"] for hit in hits}
    assert places["I play the violin."] == 1
