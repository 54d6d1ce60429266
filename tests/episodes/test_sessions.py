"""Conversations: which there are, and what was said in them."""

import asyncio
from urllib.parse import quote

import pytest

from tests.api import code_of, new_tenant, with_key
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg


async def _sessions(store: Store, **asked: str | int) -> list[str]:
    asked = {"user_id": "alice", **asked}
    listed = await store.get("/v1/sessions", **asked)
    return [one["session_id"] for one in listed["items"]]


async def _said(store: Store, session_id: str, **asked: str | int) -> list[str]:
    path = f"/v1/sessions/{quote(session_id, safe='')}/messages"
    asked = {"user_id": "alice", **asked}
    return [one["content"] for one in (await store.get(path, **asked))["items"]]


async def test_sessions_are_listed_newest_first_with_their_size_and_times(store: Store) -> None:
    await store.remember(
        {"content": "a", "session_id": "one", "occurred_at": at(5)},
        {"content": "b", "session_id": "two", "occurred_at": at(1)},
        {"content": "c", "session_id": "one", "occurred_at": at(3)},
        "without a session",
    )
    await store.remember({"content": "d", "session_id": "one", "occurred_at": at(9)})

    listed = (await store.get("/v1/sessions", user_id="alice"))["items"]

    assert [one["session_id"] for one in listed] == ["two", "one"]
    assert [one["messages"] for one in listed] == [1, 3]
    assert listed[1]["first_at"].startswith("2026-01-31T09:03")
    assert listed[1]["last_at"].startswith("2026-01-31T09:09")


async def test_a_transcript_is_verbatim_and_in_the_order_it_was_sent(store: Store) -> None:
    said: Json = {
        "content": "  two\n\nlines \u00a0",
        "role": "user",
        "name": "Zoë",
        "metadata": {"n": [1]},
        "occurred_at": at(9),
    }
    stored = await store.remember(
        said, {"content": "earlier", "occurred_at": at(1)}, session_id="s"
    )
    await store.remember("last", session_id="s")

    listed = (await store.get("/v1/sessions/s/messages", user_id="alice"))["items"]

    assert [one["content"] for one in listed] == ["  two\n\nlines \u00a0", "earlier", "last"]
    assert [one["seq"] for one in listed] == [1, 2, 3]
    assert [one["id"] for one in listed[:2]] == [one["id"] for one in stored]
    first = listed[0]
    assert {name: first[name] for name in ("role", "name", "metadata")} == {
        name: said[name] for name in ("role", "name", "metadata")
    }
    assert first["occurred_at"].startswith("2026-01-31T09:09")


async def test_sessions_of_two_owners_of_one_name_are_kept_apart(store: Store) -> None:
    await store.remember("of alice", session_id="s")
    await store.remember("of bob", session_id="s", user_id="bob")
    await store.remember("of the agent", session_id="s", user_id=None, agent_id="alice")
    _, stranger = await new_tenant(store.client)

    assert await _said(store, "s") == ["of alice"]
    assert await _said(store, "s", user_id="bob") == ["of bob"]
    of_agent = await store.get("/v1/sessions/s/messages", agent_id="alice")
    assert [one["content"] for one in of_agent["items"]] == ["of the agent"]
    store.client.headers.update(with_key(stranger))
    assert await _sessions(store) == []
    assert await _said(store, "s") == []


async def test_with_an_agent_only_its_part_is_shown(store: Store) -> None:
    await store.remember("without", session_id="mixed")
    await store.remember("helper one", session_id="mixed", agent_id="helper")
    await store.remember("other", session_id="mixed", agent_id="other")
    await store.remember("helper two", session_id="own", agent_id="helper")

    assert await _sessions(store) == ["own", "mixed"]
    assert await _sessions(store, agent_id="helper") == ["own", "mixed"]
    assert await _sessions(store, agent_id="other") == ["mixed"]
    assert await _sessions(store, agent_id="unknown") == []
    (mixed,) = (await store.get("/v1/sessions", user_id="alice", agent_id="other"))["items"]
    assert mixed["messages"] == 1
    assert await _said(store, "mixed", agent_id="helper") == ["helper one"]
    assert await _said(store, "mixed") == ["without", "helper one", "other"]


async def test_unknown_owners_and_sessions_are_empty(store: Store) -> None:
    await store.remember("a", session_id="s")

    assert await _sessions(store, user_id="nobody") == []
    assert await _said(store, "s", user_id="nobody") == []
    assert await _said(store, "unknown") == []
    for path in ("/v1/sessions", "/v1/sessions/s/messages"):
        answer = await store.client.get(path)
        assert (answer.status_code, code_of(answer)) == (422, "owner-required")


@pytest.mark.parametrize(
    "session_id", ["a/b", "a b", "ä/ö", "?x=1", "#", "%2F", "messages", "a/messages", "x" * 256]
)
async def test_a_session_of_any_name_can_be_read(store: Store, session_id: str) -> None:
    await store.remember("words", session_id=session_id)

    assert await _sessions(store) == [session_id]
    assert await _said(store, session_id) == ["words"]


async def test_transcripts_keep_what_is_archived_and_lose_what_is_erased(store: Store) -> None:
    stored = await store.remember("one", "two", "three", session_id="s")
    await store.archive(stored[0]["id"])
    await store.erase(stored[1]["id"])

    assert await _said(store, "s") == ["one", "three"]


async def _read_in_pages(store: Store, path: str, field: str, limit: int) -> list[str]:
    found: list[str] = []
    cursor: Json = {}
    while True:
        page = await store.get(path, user_id="alice", limit=limit, **cursor)
        found += [one[field] for one in page["items"]]
        if page["next_cursor"] is None:
            return found
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}


async def test_pages_of_sessions_and_messages_neither_skip_nor_repeat(store: Store) -> None:
    sessions = [f"s{number:02}" for number in range(11)]
    await store.remember(*({"content": "x", "session_id": one} for one in sessions), infer="none")
    words = [f"{number}" for number in range(11)]
    await store.remember(*words, session_id="long", infer="none")

    for limit in (1, 3, 11, 12, 13):
        listed = await _read_in_pages(store, "/v1/sessions", "session_id", limit)
        assert listed == ["long", *reversed(sessions)]
        said = await _read_in_pages(store, "/v1/sessions/long/messages", "content", limit)
        assert said == words


async def test_pages_read_while_others_write_hold_all_that_was_there(store: Store) -> None:
    await store.remember(
        *({"content": f"{n}", "session_id": f"s{n % 10}"} for n in range(40)), infer="none"
    )

    async def write(writer: int) -> None:
        for number in range(6):
            await store.remember(
                {"content": "late", "session_id": f"new {writer} {number}"},
                {"content": f"late {writer} {number}", "session_id": "s3"},
                infer="none",
            )

    writing = [asyncio.create_task(write(writer)) for writer in range(3)]
    sessions, said = await asyncio.gather(
        _read_in_pages(store, "/v1/sessions", "session_id", 2),
        _read_in_pages(store, "/v1/sessions/s3/messages", "content", 1),
    )
    await asyncio.gather(*writing)

    assert len(set(sessions)) == len(sessions)
    assert [one for one in sessions if one.startswith("s")] == [f"s{n}" for n in range(9, -1, -1)]
    assert said[:4] == ["3", "13", "23", "33"]
    assert len(set(said)) == len(said)
    everything = await _said(store, "s3", limit=200)
    assert everything[: len(said)] == said
    assert len(everything) == 4 + 18


async def test_writers_at_once_number_a_session_without_gap_or_repeat(store: Store) -> None:
    await asyncio.gather(
        *(store.remember(f"{n} a", f"{n} b", session_id="s", infer="none") for n in range(8))
    )

    listed = (await store.get("/v1/sessions/s/messages", user_id="alice", limit=200))["items"]

    assert [one["seq"] for one in listed] == list(range(1, 17))
    contents = [one["content"] for one in listed]
    for n in range(8):
        place = contents.index(f"{n} a")
        assert contents[place + 1] == f"{n} b"
