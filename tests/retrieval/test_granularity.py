"""Hits by turn, by round and by session."""

import pytest

from tests.memories.helpers import Json, Sent, Store, at

pytestmark = pytest.mark.pg


def _turn(content: str, minute: int, role: str, session: str | None = "s1") -> Json:
    said = {"content": content, "occurred_at": at(minute), "role": role}
    return said if session is None else {**said, "session_id": session}


TALK = [
    _turn("How long does rice take to cook?", 0, "user"),
    _turn("Rice takes twelve minutes.", 1, "assistant"),
    _turn("And how do I keep basil fresh?", 2, "user"),
    _turn("Put the basil into a glass of water.", 3, "assistant"),
    _turn("Which rice is best for sushi?", 60, "user", "s2"),
    _turn("Short rice.", 61, "assistant", "s2"),
    _turn("Rice is on the shopping list.", 120, "user", None),
]


async def _hits(store: Store, query: str, granularity: str, **more: Sent) -> list[Json]:
    recalled = await store.recall(query, granularity=granularity, **more)
    hits: list[Json] = recalled["hits"]
    return hits


async def test_a_round_is_a_question_with_its_answer(store: Store) -> None:
    await store.remember(*TALK)

    hits = await _hits(store, "basil in a glass of water", "round", limit=3)

    assert [turn["content"] for turn in hits[0]["turns"]] == [
        TALK[2]["content"], TALK[3]["content"],
    ]  # fmt: skip
    assert len(hits) == 3


async def test_no_turn_stands_in_two_rounds(store: Store) -> None:
    await store.remember(*TALK)

    hits = await _hits(store, "rice", "round", limit=10)

    shown = [turn["id"] for hit in hits for turn in hit["turns"]]
    assert len(shown) == len(set(shown)) == len(TALK)
    assert [len(hit["turns"]) for hit in hits if hit["session_id"] is None] == [1]


async def test_a_session_comes_once_with_its_best_turns(store: Store) -> None:
    await store.remember(*TALK)

    hits = await _hits(store, "How is rice cooked, and how long does rice take?", "session")

    assert sorted(str(hit["session_id"]) for hit in hits) == ["None", "s1", "s2"]
    first = next(hit for hit in hits if hit["session_id"] == "s1")
    said = [turn["content"] for turn in first["turns"]]
    assert TALK[0]["content"] in said
    assert len(said) == 3
    assert said == [one["content"] for one in TALK if one["content"] in said]
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)


async def test_by_turn_there_are_no_turns(store: Store) -> None:
    await store.remember(*TALK)

    assert {hit["turns"] is None for hit in await _hits(store, "rice", "turn")} == {True}


async def test_limit_counts_rounds_or_sessions(store: Store) -> None:
    await store.remember(*TALK)

    for granularity in ("round", "session"):
        assert len(await _hits(store, "rice", granularity, limit=2)) == 2


async def test_what_is_narrowed_away_stays_away_from_rounds(store: Store) -> None:
    await store.remember(*TALK)

    users = await _hits(store, "rice", "round", filters={"role": {"eq": "user"}})
    early = await _hits(store, "rice", "round", as_of=at(0))

    assert {turn["role"] for hit in users for turn in hit["turns"]} == {"user"}
    assert [turn["content"] for hit in early for turn in hit["turns"]] == [TALK[0]["content"]]


async def test_an_archived_answer_is_in_no_round(store: Store) -> None:
    stored = await store.remember(*TALK)
    await store.archive(stored[1]["id"])

    hits = await _hits(store, "How long does rice take to cook?", "round")

    shown = [turn["content"] for hit in hits for turn in hit["turns"]]
    assert TALK[1]["content"] not in shown
    assert TALK[0]["content"] in shown


async def test_another_granularity_is_refused(store: Store) -> None:
    answer = await store.send(
        "POST", "/v1/recall", {"query": "rice", "user_id": "alice", "granularity": "word"}
    )

    assert answer.status_code == 422
