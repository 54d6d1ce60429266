"""The second stage over HTTP: who spoke, when, and whether it is an answer."""

import pytest

from app.retrieval.kernel.reranking import MOST_PEOPLE
from tests.memories.helpers import Json, Sent, Store, at

pytestmark = pytest.mark.pg


def _said(content: str, name: str, minute: float = 0, **more: str) -> Json:
    return {"content": content, "name": name, "occurred_at": at(minute), **more}


TEA = [
    _said("I like tea, green tea.", "Caroline", 0, session_id="s1"),
    _said("I like tea, white tea.", "Melanie", 1, session_id="s2"),
]


async def _features(store: Store, query: str, **more: Sent) -> dict[str, dict[str, float]]:
    hits = (await store.recall(query, explain=True, **more))["hits"]
    return {hit["content"]: hit["explain"]["features"] for hit in hits}


async def test_what_the_named_person_said_goes_first(store: Store) -> None:
    await store.remember(*TEA)

    caroline, melanie = (said["content"] for said in TEA)
    assert await store.found("Which tea does Mel like?", recipe="fused") == [caroline, melanie]
    assert await store.found("Which tea does Mel like?") == [melanie, caroline]
    features = await _features(store, "Which tea does Mel like?")
    assert features[melanie]["speaker"] > features[caroline]["speaker"] == 0


async def test_two_named_people_and_nobody_named_are_treated_alike(store: Store) -> None:
    await store.remember(*TEA)

    for query in ("Which tea do Melanie and Caroline like?", "Which tea is liked?"):
        features = await _features(store, query)
        assert len(features) == 2
        assert all("speaker" not in of_one for of_one in features.values())


async def test_titles_are_nobody(store: Store) -> None:
    titles = [f"Tea of land {number}" for number in range(MOST_PEOPLE + 1)]
    await store.remember(*[_said(f"It grows tea {n}.", title) for n, title in enumerate(titles)])

    features = await _features(store, "Tea of land 3", limit=50)

    assert len(features) == len(titles)
    assert all("speaker" not in of_one for of_one in features.values())


async def test_what_the_user_said_goes_before_what_the_assistant_said(store: Store) -> None:
    answer = _said("A green tea is a fine tea.", "assistant", 0, role="assistant")
    await store.remember(answer, _said("My tea is a green tea, with milk.", "user", 1, role="user"))

    features = await _features(store, "green tea")

    assert list(features) == ["My tea is a green tea, with milk.", "A green tea is a fine tea."]
    assert [of_one["speaker"] > 0 for of_one in features.values()] == [True, False]


async def test_a_question_for_a_time_prefers_what_tells_of_one(store: Store) -> None:
    plain = "We visited the museum, a fine museum."
    await store.remember(plain, "Yesterday we two visited the old museum with friends.")

    when = "When was the museum visited?"
    assert (await store.found(when, recipe="fused"))[0] == plain
    assert (await store.found(when))[1] == plain
    assert (await store.found("Who visited the museum?"))[0] == plain


async def test_a_named_month_prefers_what_happened_in_it(store: Store) -> None:
    june = {"content": "The museum, a museum.", "occurred_at": "2025-06-03T12:00:00Z"}
    august = {"content": "We saw an old museum there.", "occurred_at": "2025-08-03T12:00:00Z"}
    await store.remember(june, august)

    assert (await store.found("Which museum?"))[0] == june["content"]
    assert (await store.found("Which museum in August?"))[0] == august["content"]
    features = await _features(store, "Which museum in August?")
    assert features[august["content"]]["date"] > features[june["content"]]["date"] == 0


async def test_a_month_that_is_a_persons_name_is_no_date(store: Store) -> None:
    said = _said("The museum, a museum.", "June")
    await store.remember(said, _said("The old museum was fine.", "Ann", 1))

    features = await _features(store, "Which museum did June like?")

    assert all("date" not in of_one for of_one in features.values())
    assert features[said["content"]]["speaker"] > 0


async def test_the_day_is_the_owners_own(store: Store) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"time_zone": "Asia/Tokyo"})
    evening = {"content": "Tea.", "occurred_at": "2025-07-31T20:00:00Z"}  # August in Tokyo
    await store.remember(evening)

    features = await _features(store, "Tea in August?")

    assert features["Tea."]["date"] > 0


async def test_questions_stand_behind_answers(store: Store) -> None:
    await store.remember(
        _said("Is the cat grey?", "Ann", 0),
        _said("The cat is grey.", "Bob", 500, session_id="later"),
    )

    features = await _features(store, "grey cat")

    assert features["Is the cat grey?"]["question"] < 0 == features["The cat is grey."]["question"]


async def test_a_session_that_speaks_of_it_lifts_its_memories(store: Store) -> None:
    trip = [_said(f"The mountain trail {word}.", "Ann", n, session_id="trip")
            for n, word in enumerate(["was steep", "was long", "was wet"])]  # fmt: skip
    home = [_said("The mountain trail was dry.", "Ann", 60, session_id="home")]
    await store.remember(*trip, *home)

    features = await _features(store, "mountain trail")

    for name in ("session_lexical", "session_cosine"):
        assert features[home[0]["content"]][name] < features[trip[0]["content"]][name]


async def test_fused_is_the_order_of_the_arms_alone(store: Store) -> None:
    await store.remember(*TEA, "When does Melanie like tea?", "Melanie's tea of yesterday")

    hits = (await store.recall("When does Melanie like tea?", recipe="fused", explain=True))["hits"]

    scores = [hit["explain"]["fused"] for hit in hits]
    assert len(hits) == 4
    assert scores == sorted(scores, reverse=True)
    assert [hit["score"] for hit in hits] == pytest.approx(
        [hit["explain"]["fused"] * hit["explain"]["factor"] for hit in hits]
    )


async def test_without_an_embedder_the_second_stage_still_reads(store: Store) -> None:
    await store.remember(*TEA)
    store.embedder.failing = True

    recalled = await store.recall("Which tea does Mel like?", explain=True)

    assert recalled["degraded"] == ["dense"]
    assert [hit["name"] for hit in recalled["hits"]] == ["Melanie", "Caroline"]
    assert "cosine" not in recalled["hits"][0]["explain"]["features"]


async def test_tokens_that_meet_the_question_raise_a_memory(store: Store) -> None:
    await store.remember("A kettle of tea.", "Anna buys bread and tea and milk.")

    features = await _features(store, "kettle")

    assert [of_one["tokens"] > 0 for of_one in features.values()] == [True, False]
    assert next(iter(features)) == "A kettle of tea."


async def test_no_other_recipe_reads_tokens(store: Store) -> None:
    await store.remember("A kettle of tea.")

    for recipe in ("fused", "lexical", "dense"):
        assert await _features(store, "kettle", recipe=recipe) == {"A kettle of tea.": {}}
