"""An edit is found by its new words at once, and its history keeps the old ones."""

import pytest

from tests.api import code_of
from tests.memories import invariants
from tests.memories.helpers import UNHOLDABLE, Json, Store, at

pytestmark = pytest.mark.pg


async def _history(store: Store, memory_id: str) -> list[Json]:
    listed = await store.get(f"/v1/memories/{memory_id}/history")
    events: list[Json] = listed["items"]
    return events


async def test_new_words_are_found_and_old_ones_are_not(store: Store) -> None:
    stored = await store.remember("I keep a hamster.", "It rains.")

    edited = await store.edit(stored[0]["id"], content="I keep a parrot.")

    assert edited["content"] == "I keep a parrot."
    assert edited["embedding"] == "ready"
    assert await store.by_words("hamster") == []
    assert await store.by_words("parrot") == ["I keep a parrot."]
    hits = (await store.recall("I keep a parrot.", recipe="dense", explain=True))["hits"]
    assert hits[0]["id"] == stored[0]["id"]
    assert hits[0]["explain"]["dense"]["score"] == pytest.approx(1, abs=1e-3)


async def test_the_next_turns_key_forgets_the_old_words_too(store: Store) -> None:
    stored = await store.remember("Is the hamster well?", "She sleeps.", session_id="s")
    assert set(await store.by_words("hamster")) == {"Is the hamster well?", "She sleeps."}

    await store.edit(stored[0]["id"], content="Is the parrot well?")

    assert await store.by_words("hamster") == []
    assert set(await store.by_words("parrot")) == {"Is the parrot well?", "She sleeps."}
    assert await store.by_words("sleeping") == ["She sleeps."]
    await invariants.check(store)


async def test_an_edit_keeps_its_own_turn_before(store: Store) -> None:
    stored = await store.remember("Is the hamster well?", "She sleeps.", session_id="s")

    await store.edit(stored[1]["id"], content="She eats.")

    assert "She eats." in await store.by_words("hamster")
    assert await store.by_words("sleep") == []


async def test_another_date_is_found_in_words(store: Store) -> None:
    stored = await store.remember({"content": "I moved.", "occurred_at": at(0)})

    await store.edit(stored[0]["id"], occurred_at="2027-07-04T12:00:00Z")

    assert await store.by_words("January") == []
    assert await store.by_words("July 2027") == ["I moved."]
    await invariants.check(store)


async def test_each_member_can_be_changed_and_lifted(store: Store) -> None:
    stored = await store.remember({"content": "Words.", "metadata": {"a": 1, "b": 2}})
    changes: Json = {
        "importance": 0.5,
        "pinned": True,
        "expires_at": "2036-01-01T00:00:00Z",
        "place": "home",
        "metadata": {"c": [1]},
    }

    edited = await store.edit(stored[0]["id"], **changes)

    assert {name: edited[name] for name in changes} == changes
    assert edited == await store.read(stored[0]["id"])
    lifted = await store.edit(
        stored[0]["id"], importance=None, expires_at=None, place=None, metadata={}
    )
    assert (lifted["importance"], lifted["expires_at"], lifted["place"]) == (None, None, None)
    assert lifted["metadata"] == {}
    assert lifted["pinned"] is True


async def test_new_metadata_is_filtered_by_at_once(store: Store) -> None:
    stored = await store.remember({"content": "Words.", "metadata": {"n": 1}})

    await store.edit(stored[0]["id"], metadata={"n": True})

    assert await store.found("words", filters={"metadata.n": {"eq": 1}}) == []
    assert await store.found("words", filters={"metadata.n": {"eq": True}}) == ["Words."]


async def test_history_keeps_every_member_as_it_was(store: Store) -> None:
    stored = await store.remember({"content": "One.", "metadata": {"n": 1}, "occurred_at": at(0)})
    memory_id = stored[0]["id"]
    await store.edit(memory_id, content="Two.", pinned=True)
    await store.edit(memory_id, content="Three.", metadata={}, occurred_at=at(5))

    events = await _history(store, memory_id)

    assert [event["kind"] for event in events] == ["created", "edited", "edited"]
    assert events[0]["detail"] == {}
    assert events[1]["detail"] == {"before": {"content": "One.", "pinned": False}}
    before = events[2]["detail"]["before"]
    assert before["content"] == "Two."
    assert before["metadata"] == {"n": 1}
    assert before["occurred_at"].startswith("2026-01-31T09:00:00")
    times = [event["at"] for event in events]
    assert times == sorted(times)


async def test_an_edit_that_changes_nothing_leaves_no_trace(store: Store) -> None:
    stored = await store.remember({"content": "Words.", "metadata": {"n": 1}, "place": "home"})
    before = await store.read(stored[0]["id"])

    for changes in ({}, {"content": "Words."}, {"metadata": {"n": 1}, "place": "home"}):
        assert await store.edit(stored[0]["id"], **changes) == before

    assert len(await _history(store, stored[0]["id"])) == 1


async def test_an_edit_that_leaves_the_words_alone_asks_no_embedder(store: Store) -> None:
    stored = await store.remember("Words.")
    requests = store.embedder.requests

    edited = await store.edit(stored[0]["id"], pinned=True, occurred_at=at(3))

    assert store.embedder.requests == requests
    assert edited["embedding"] == "ready"
    assert await store.by_vector("words") == ["Words."]


async def test_the_transcript_stays_as_it_was_said(store: Store) -> None:
    stored = await store.remember("As it was said.", session_id="s")

    await store.edit(stored[0]["id"], content="As it is held.")

    listed = await store.get("/v1/sessions/s/messages", user_id="alice")
    assert [one["content"] for one in listed["items"]] == ["As it was said."]


async def test_without_the_embedder_an_edit_waits_for_its_vector(store: Store) -> None:
    stored = await store.remember("I keep a hamster.")
    store.embedder.failing = True

    edited = await store.edit(stored[0]["id"], content="I keep a parrot.")

    assert edited["embedding"] == "pending"
    assert await store.by_words("parrot") == ["I keep a parrot."]
    store.embedder.failing = False
    assert await store.by_vector("hamster") == []
    await store.run_task("memories.embed")
    assert (await store.read(stored[0]["id"]))["embedding"] == "ready"
    assert await store.by_vector("parrot") == ["I keep a parrot."]


async def test_an_archived_memory_is_not_edited(store: Store) -> None:
    stored = await store.remember("Words.")
    await store.archive(stored[0]["id"])

    answer = await store.send("PATCH", f"/v1/memories/{stored[0]['id']}", {"pinned": True})

    assert (answer.status_code, code_of(answer)) == (409, "memory-archived")


async def test_edits_of_the_wrong_form_are_refused_and_change_nothing(store: Store) -> None:
    stored = await store.remember("Words.")
    wrongs: list[Json] = [
        {"content": ""},
        {"content": None},
        {"content": "\x00"},
        {"content": "\ud800"},
        {"occurred_at": None},
        {"occurred_at": "2026-01-31T09:00:00"},
        {"pinned": None},
        {"metadata": None},
        {"importance": 2},
        {"place": ""},
        {"kind": "fact"},
        {"session_id": "s"},
        {"id": stored[0]["id"]},
        *({"metadata": metadata} for metadata in UNHOLDABLE),
    ]
    for wrong in wrongs:
        answer = await store.send("PATCH", f"/v1/memories/{stored[0]['id']}", wrong)
        assert answer.status_code == 422, wrong
        assert code_of(answer) in {"invalid-request", "invalid-item"}
    assert len(await _history(store, stored[0]["id"])) == 1


async def test_an_edit_has_the_limits_of_a_write(store: Store) -> None:
    stored = await store.remember("Words.")
    deep: Json = {}
    for _ in range(9):
        deep = {"a": deep}
    for changes, status, code in (
        ({"content": "x" * 1_048_577}, 413, "limit-exceeded"),
        ({"metadata": {"a": "x" * 16_384}}, 413, "limit-exceeded"),
        ({"metadata": deep}, 422, "invalid-item"),
    ):
        answer = await store.send("PATCH", f"/v1/memories/{stored[0]['id']}", changes)
        assert (answer.status_code, code_of(answer)) == (status, code)


async def test_history_comes_in_pages(store: Store) -> None:
    stored = await store.remember("0")
    for number in range(1, 6):
        await store.edit(stored[0]["id"], content=str(number))
    path = f"/v1/memories/{stored[0]['id']}/history"

    seen: list[Json] = []
    cursor: Json = {}
    for _ in range(3):
        page = await store.get(path, limit=2, **cursor)
        seen += page["items"]
        cursor = {"cursor": page["next_cursor"]}

    assert cursor == {"cursor": None}
    befores = [event["detail"]["before"]["content"] for event in seen[1:]]
    assert befores == ["0", "1", "2", "3", "4"]
