"""What has faded loses in rank, within bounds, and only where it is asked to."""

import math

import pytest

from tests.forgetting.helpers import age, follow, settle
from tests.memories.helpers import Sent, Store

pytestmark = pytest.mark.pg


async def _two_alike(store: Store) -> tuple[str, str]:
    """Store two memories that say the same, the first 20 days before the second."""
    old = (await store.remember("A grey cat sleeps.", infer="none"))[0]["id"]
    await age(store, 20)
    new = (await store.remember("A grey cat sleeps.", infer="none"))[0]["id"]
    return old, new


async def _order(store: Store, **more: Sent) -> list[str]:
    asked: dict[str, Sent] = {"limit": 2, **more}
    return [hit["id"] for hit in (await store.recall("grey cat", **asked))["hits"]]


async def test_of_two_that_say_the_same_the_one_that_is_retained_comes_first(
    store: Store,
) -> None:
    old, new = await _two_alike(store)

    assert await _order(store) == [new, old]
    assert await _order(store, retention=False) == [old, new]


async def test_explain_shows_how_retention_changed_the_score(store: Store) -> None:
    old, _ = await _two_alike(store)

    hits = (await store.recall("grey cat", explain=True))["hits"]

    for hit in hits:
        explained = hit["explain"]
        assert explained["factor"] == 1 - 0.1 * (1 - explained["retention"])
        assert hit["score"] == explained["relevance"] * explained["factor"]
    faded = next(hit["explain"] for hit in hits if hit["id"] == old)
    assert faded["retention"] == pytest.approx(math.exp(-20), rel=0.05)
    plain = (await store.recall("grey cat", explain=True, retention=False))["hits"]
    assert all(hit["explain"]["retention"] is None for hit in plain)
    assert all(hit["score"] == hit["explain"]["relevance"] for hit in plain)


async def test_a_recalled_memory_comes_back_to_the_front(store: Store) -> None:
    old, new = await _two_alike(store)
    await store.recall("grey cat", retention=False, limit=1, reinforce=True)
    await settle(store)
    await age(store, 1)

    assert await _order(store) == [old, new]


@pytest.mark.parametrize("policy", [{"ranking": 0.0}, {"law": "none"}, {"kinds": ["thought"]}])
async def test_a_policy_may_keep_retention_out_of_ranking(
    store: Store, policy: dict[str, Sent]
) -> None:
    old, new = await _two_alike(store)
    await follow(store, **policy)

    assert await _order(store) == [old, new]


async def test_the_factor_is_bounded_by_the_policy(store: Store) -> None:
    await store.remember("A grey cat sleeps.")
    await age(store, 300)
    await follow(store, ranking=0.3)

    (hit,) = (await store.recall("grey cat", explain=True))["hits"]

    assert hit["explain"]["factor"] == pytest.approx(0.7)


async def test_a_pinned_memory_keeps_its_place(store: Store) -> None:
    said = {"content": "A grey cat sleeps.", "pinned": True}
    old = (await store.remember(said, infer="none"))[0]["id"]
    await age(store, 20)
    new = (await store.remember("A grey cat sleeps.", infer="none"))[0]["id"]

    assert await _order(store) == [old, new]


async def test_what_is_just_beyond_the_limit_may_take_the_place_of_what_has_faded(
    store: Store,
) -> None:
    await store.remember("A grey cat sleeps.", infer="none")
    await age(store, 20)
    new = (await store.remember("A grey cat sleeps.", infer="none"))[0]["id"]

    assert await _order(store, limit=1) == [new]


async def test_memories_of_equal_retention_keep_the_order_of_the_fusion(store: Store) -> None:
    words = ["grey cat", "grey cat and dog", "dog", "cat", "a dog and a grey parrot"]
    await store.remember(*words, infer="none")
    before = await store.found("grey cat", retention=False)
    await age(store, 20)

    assert await store.found("grey cat") == before


async def test_a_context_may_leave_retention_out(store: Store) -> None:
    old, new = await _two_alike(store)

    tokens = (await store.context("grey cat", max_tokens=1_000))["tokens"]
    fading = await store.context("grey cat", max_tokens=tokens - 1)
    plain = await store.context("grey cat", max_tokens=tokens - 1, retention=False)

    assert fading["sections"][-1]["memory_ids"] == [new]
    assert plain["sections"][-1]["memory_ids"] == [old]
