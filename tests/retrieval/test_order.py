"""Which of two passages came first, over HTTP."""

import pytest

from tests.api import code_of, new_key, with_key
from tests.memories.helpers import Json, Sent, Store, at

pytestmark = pytest.mark.pg

TALE = [
    {"content": "The old miller woke before dawn and lit the lamp.", "occurred_at": at(0)},
    {"content": "By noon the river had risen to the bridge.", "occurred_at": at(1)},
    {"content": "At night the bridge was gone, and so was the mill.", "occurred_at": at(2)},
]
DAWN, NOON, NIGHT = "woke before dawn", "the river had risen", "the bridge was gone"


def _tale(**more: str) -> list[Json]:
    return [{**said, "session_id": "tale", **more} for said in TALE]


async def _order(store: Store, a: str, b: str, **more: Sent) -> Json:
    body = {"a": a, "b": b, "user_id": "alice", **more}
    answer = await store.send("POST", "/v1/order", body)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def test_the_earlier_passage_is_named_with_evidence(store: Store) -> None:
    stored = await store.remember(*_tale())

    told = await _order(store, NIGHT, DAWN, session_id="tale")

    assert (told["first"], told["by"], told["degraded"]) == ("b", "time", [])
    assert told["confidence"] > 0.9
    place = told["evidence"]["b"][0]
    assert place["memory_id"] == stored[0]["id"]
    assert str(TALE[0]["content"])[place["start"] : place["stop"]] == DAWN


async def test_without_times_and_sequence_there_is_no_order(store: Store) -> None:
    loose = [{**said, "occurred_at": at(0)} for said in TALE]
    await store.remember(*loose)

    told = await _order(store, DAWN, NOON)

    assert (told["first"], told["by"], told["confidence"]) == (None, None, 0.5)


async def test_at_one_time_the_session_knows_the_order(store: Store) -> None:
    await store.remember(*_tale(occurred_at=at(0)))

    assert (await _order(store, NOON, DAWN))["first"] == "b"
    assert (await _order(store, NOON, NIGHT))["by"] == "sequence"


async def test_within_one_memory_the_offset_tells(store: Store) -> None:
    await store.remember(" ".join(str(said["content"]) for said in TALE))

    told = await _order(store, NIGHT, NOON)

    assert (told["first"], told["by"]) == ("b", "offset")


async def test_an_erased_memory_tells_nothing_any_more(store: Store) -> None:
    stored = await store.remember(*_tale())
    assert (await _order(store, DAWN, NIGHT))["first"] == "a"

    await store.erase(stored[0]["id"])

    assert (await _order(store, DAWN, NIGHT))["first"] is None


async def test_an_unknown_user_has_no_order(store: Store) -> None:
    told = await _order(store, DAWN, NIGHT, user_id="nobody")

    assert (told["first"], told["evidence"]) == (None, {"a": [], "b": []})


async def test_without_an_embedder_words_alone_tell(store: Store) -> None:
    await store.remember(*_tale())
    store.embedder.failing = True

    told = await _order(store, DAWN, NIGHT)

    assert (told["first"], told["degraded"]) == ("a", ["dense"])


async def test_a_passage_that_is_too_long_is_refused(store: Store) -> None:
    answer = await store.send(
        "POST", "/v1/order", {"a": "x", "b": "y " * 9_000, "user_id": "alice"}
    )

    assert code_of(answer) == "query-too-long"


async def test_a_key_of_another_user_may_not_ask(store: Store) -> None:
    await store.remember(*_tale())
    key = await new_key(store.client, user_id="bob")
    body = {"a": DAWN, "b": NIGHT, "user_id": "alice"}

    answer = await store.send("POST", "/v1/order", body, with_key(key))

    assert answer.status_code in {401, 403}
