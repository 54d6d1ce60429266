"""Questions of a time told from the day on which they are asked."""

import pytest

from tests.memories.helpers import Json, Store

pytestmark = pytest.mark.pg

_ASKED = "2023-05-31T12:00:00Z"


def _said(content: str, day: str) -> Json:
    return {"content": content, "occurred_at": f"{day}T12:00:00Z", "session_id": day}


MUSEUMS = [
    _said("A museum, the finest museum of all museums.", "2023-03-01"),
    _said("We went to see the old museum.", "2023-05-24"),
    _said("The museum shop sells a museum guide.", "2023-05-10"),
]


async def test_last_week_is_that_of_the_question(store: Store) -> None:
    await store.remember(*MUSEUMS)

    assert await store.found("Which museum?", as_of=_ASKED) != []
    assert (await store.found("Which museum?", as_of=_ASKED))[0] == MUSEUMS[0]["content"]
    found = await store.found("Which museum did we see last week?", as_of=_ASKED)
    assert found[0] == MUSEUMS[1]["content"]
    assert len(found) == 3  # nothing is left out
    other = await store.found("Which museum last week?", as_of="2023-05-17T12:00:00Z")
    assert other[0] == MUSEUMS[2]["content"]


async def test_before_and_after_a_day(store: Store) -> None:
    await store.remember(*MUSEUMS)

    before = await store.found("Which museum before May 20th?", as_of=_ASKED)
    after = await store.found("Which museum after May 20th?", as_of=_ASKED)

    assert set(before[:2]) == {MUSEUMS[0]["content"], MUSEUMS[2]["content"]}
    assert after[0] == MUSEUMS[1]["content"]


async def test_a_time_of_which_nothing_is_held_says_nothing(store: Store) -> None:
    await store.remember(*MUSEUMS)

    hits = (await store.recall("Which museum two years ago?", as_of=_ASKED, explain=True))["hits"]

    assert len(hits) == 3
    assert {hit["explain"]["features"]["date"] for hit in hits} == {0}
    assert {hit["explain"]["on_day"] for hit in hits} == {None}


async def _date(store: Store, content: str) -> float:
    """Return what the day of May 26th adds to the score of a memory."""
    hits = (await store.recall("Which museum on May 26th?", explain=True))["hits"]
    (features,) = [one["explain"]["features"] for one in hits if one["content"] == content]
    return float(features["date"])


async def test_what_was_told_later_is_found_by_the_day_it_tells_of(store: Store) -> None:
    told = _said("I saw a museum last Friday.", "2023-05-31")  # of the 26th
    await store.remember(*MUSEUMS, told)

    assert (await store.found("Which museum on May 26th?"))[0] == told["content"]
    known = await _date(store, told["content"])
    scope = await store.scope()
    await store.rows("DELETE FROM told_days WHERE owner_id = :owner_id", owner_id=scope.owner_id)
    assert await _date(store, told["content"]) < known


async def test_explain_shows_what_the_time_brought(store: Store) -> None:
    await store.remember(*MUSEUMS)

    hits = (await store.recall("Which museum last week?", as_of=_ASKED, explain=True))["hits"]
    explained = {hit["content"]: hit["explain"] for hit in hits}

    inside, outside = (explained[MUSEUMS[place]["content"]] for place in (1, 0))
    assert inside["features"]["date"] > outside["features"]["date"] == 0
    assert inside["on_day"] > outside["on_day"] == 0


async def test_an_owners_week_is_of_his_own_time_zone(store: Store) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"time_zone": "Pacific/Auckland"})
    await store.remember(*MUSEUMS)

    features = [
        hit["explain"]["features"]["date"]
        for hit in (
            await store.recall("museum yesterday", as_of="2023-05-25T13:00:00Z", explain=True)
        )["hits"]
        if hit["content"] == MUSEUMS[1]["content"]
    ]

    assert features[0] > 0  # the 24th at noon is the 25th there, and the question is of the 26th


async def test_what_only_tells_of_a_named_day_counts_for_less_there(store: Store) -> None:
    await store.remember(
        {"content": "We did talk.", "occurred_at": "2023-04-27T10:00:00Z"},
        {"content": "We did talk yesterday.", "occurred_at": "2023-04-28T10:00:00Z"},
        infer="none",
    )
    answer = await store.recall("Did we talk on April 27th 2023?", explain=True)

    on_day = {hit["content"]: hit["explain"]["on_day"] for hit in answer["hits"]}
    assert on_day["We did talk yesterday."] <= 0.7 < on_day["We did talk."]
