"""Sessions, agents, kinds, times and filters narrow what is recalled, in every arm."""

import pytest

from tests.api import code_of
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg

RECIPES = ("default", "lexical", "dense")


async def _pets(store: Store) -> None:
    """Remember pets that differ in one thing each."""
    await store.remember(
        {"content": "cat one", "role": "user", "session_id": "s1", "occurred_at": at(1)},
        {"content": "cat two", "role": "assistant", "session_id": "s1", "occurred_at": at(2)},
        {"content": "cat three", "kind": "fact", "session_id": "s2", "occurred_at": at(3)},
        {"content": "cat four", "kind": "thought", "metadata": {"tag": "x"}, "occurred_at": at(4)},
        infer="none",
    )
    for agent in ("helper", "other"):
        await store.remember({"content": f"cat of {agent}"}, agent_id=agent, infer="none")
        await store.remember(
            {"content": f"own cat of {agent}"}, user_id=None, agent_id=agent, infer="none"
        )
    await store.remember({"content": "cat of bob", "session_id": "s1"}, user_id="bob")


@pytest.mark.parametrize("recipe", RECIPES)
async def test_each_narrowing_lets_through_what_it_names(store: Store, recipe: str) -> None:
    await _pets(store)
    own = {"cat one", "cat two", "cat three", "cat four", "cat of helper", "cat of other"}
    expected: list[tuple[Json, set[str]]] = [
        ({}, own),
        ({"session_id": "s1"}, {"cat one", "cat two"}),
        ({"session_id": "unknown"}, set()),
        ({"kinds": ["fact"]}, {"cat three"}),
        ({"kinds": ["fact", "thought"]}, {"cat three", "cat four"}),
        ({"kinds": ["nonsense"]}, set()),
        ({"agent_id": "helper"}, {"cat of helper"}),
        ({"agent_id": "unknown"}, set()),
        ({"agent_id": "helper", "user_id": None}, {"own cat of helper"}),
        ({"as_of": at(2)}, {"cat one", "cat two"}),
        ({"as_of": at(0)}, set()),
        ({"filters": {"role": {"eq": "user"}}}, {"cat one"}),
        ({"filters": {"role": {"exists": True}}}, {"cat one", "cat two"}),
        ({"filters": {"occurred_at": {"gt": at(1), "lte": at(3)}}}, {"cat two", "cat three"}),
        ({"filters": {"metadata.tag": {"eq": "x"}}}, {"cat four"}),
        ({"filters": {"content": {"contains": "two"}}}, {"cat two"}),
        ({"session_id": "s1", "kinds": ["fact"]}, set()),
        ({"session_id": "s1", "filters": {"not": {"role": {"eq": "user"}}}}, {"cat two"}),
        ({"user_id": "bob", "session_id": "s1"}, {"cat of bob"}),
    ]
    for narrowing, contents in expected:
        found = await store.found("cat", recipe=recipe, **narrowing)
        assert sorted(found) == sorted(contents), narrowing


@pytest.mark.parametrize("recipe", RECIPES)
async def test_what_passes_is_found_however_much_does_not(store: Store, recipe: str) -> None:
    await store.remember("The cat sleeps, far away.", session_id="small", infer="none")
    await store.remember(*["cat"] * 600, session_id="large", infer="none")

    found = await store.found("cat", recipe=recipe, session_id="small", limit=5)

    assert found == ["The cat sleeps, far away."]


async def test_long_memories_are_narrowed_by_all_their_keys(store: Store) -> None:
    long = "filler words " * 300 + "needle " + "filler words " * 300
    for session in ("s1", "s2"):
        await store.remember(long, session_id=session)

    for recipe in RECIPES:
        hits = (await store.recall("needle", recipe=recipe, session_id="s2"))["hits"]
        assert [hit["session_id"] for hit in hits] == ["s2"]


async def test_an_id_filter_finds_one_memory(store: Store) -> None:
    stored = await store.remember("cat one", "cat two")
    wanted = stored[1]["id"]

    assert await store.found("cat", filters={"id": {"eq": wanted}}) == ["cat two"]
    assert await store.found("cat", filters={"id": {"nin": [wanted]}}) == ["cat one"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "ten"},
        {"kinds": []},
        {"kinds": ["\x00"]},
        {"kinds": ["\ud800"]},
        {"as_of": "2026-01-31T09:00:00"},
        {"min_score": 1.5},
        {"min_score": -1},
        {"min_score": float("nan")},
        {"recipe": "hybrid"},
        {"include": ["everything"]},
        {"deadline_ms": 0},
        {"session_id": ""},
        {"session_id": "\x00"},
        {"query": ""},
        {"query": " \n"},
        {"query": "\x00"},
        {"query": "\ud800"},
        {"query": None},
        {"filters": []},
        {"filters": "role = 'user'"},
        {"colour": "red"},
    ],
)
async def test_questions_of_the_wrong_form_are_refused(store: Store, wrong: Json) -> None:
    answer = await store.send("POST", "/v1/recall", {"query": "q", "user_id": "alice", **wrong})

    assert answer.status_code == 422, answer.text
    assert code_of(answer) == "invalid-request"
    assert next(iter(wrong)) in answer.json()["errors"][0]["path"]


async def test_a_query_of_8_kib_is_answered_and_a_byte_more_is_not(store: Store) -> None:
    await store.remember("The cat sleeps.")
    longest = ("cat " * 2048)[:8192]

    assert await store.found(longest) == ["The cat sleeps."]
    for route in ("recall", "context"):
        body = {"query": longest + "ä", "user_id": "alice"}
        answer = await store.send("POST", f"/v1/{route}", body)
        assert (answer.status_code, code_of(answer)) == (413, "query-too-long")
        assert "8192 bytes" in answer.json()["detail"]
