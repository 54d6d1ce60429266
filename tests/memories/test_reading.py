"""Single memories and lists of them."""

import asyncio

import pytest

from app.kit.ids import new_id
from app.kit.pagination import encode_cursor
from tests.api import code_of, new_tenant, with_key
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg


async def _bound_to(store: Store, **owner: str) -> dict[str, str]:
    """Return the headers of a key bound to a user or an agent."""
    body = {"name": "bound", "scopes": ["write"], **owner}
    answer = await store.send("POST", "/v1/keys", body)
    return with_key(answer.json()["key"])


async def test_an_unknown_memory_is_a_404_for_every_verb(store: Store) -> None:
    path = f"/v1/memories/{new_id()}"
    for method, tail, body in (
        ("GET", "", None),
        ("PATCH", "", {"pinned": True}),
        ("DELETE", "", None),
        ("GET", "/history", None),
        ("POST", ":archive", None),
        ("POST", ":restore", None),
    ):
        answer = await store.client.request(method, path + tail, json=body)
        assert (answer.status_code, code_of(answer)) == (404, "memory-not-found"), (method, tail)


async def test_a_foreign_memory_is_the_same_404(store: Store) -> None:
    stored = await store.remember("Mine.")
    path = f"/v1/memories/{stored[0]['id']}"
    _, stranger = await new_tenant(store.client)
    of_bob = await _bound_to(store, user_id="bob")
    of_helper = await _bound_to(store, agent_id="helper")

    for headers in (with_key(stranger), of_bob, of_helper):
        for method, tail in (
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "/history"),
            ("POST", ":archive"),
        ):
            answer = await store.client.request(method, path + tail, headers=headers)
            assert (answer.status_code, code_of(answer)) == (404, "memory-not-found")
    assert (await store.read(stored[0]["id"]))["archived_at"] is None


async def test_a_key_bound_to_the_owner_or_to_the_memorys_agent_may_see_it(store: Store) -> None:
    stored = await store.remember("Words.", agent_id="helper")
    for owner in ({"user_id": "alice"}, {"agent_id": "helper"}):
        headers = await _bound_to(store, **owner)
        answer = await store.client.get(f"/v1/memories/{stored[0]['id']}", headers=headers)
        assert answer.status_code == 200


async def test_lists_are_newest_first_and_can_be_narrowed(store: Store) -> None:
    stored = await store.remember(
        {"content": "one", "session_id": "s1"},
        {"content": "two", "kind": "fact"},
        {"content": "three", "session_id": "s1", "kind": "fact"},
        "four",
    )
    await store.remember("of helper", agent_id="helper")
    await store.archive(stored[3]["id"])
    expected: list[tuple[Json, list[str]]] = [
        ({}, ["of helper", "three", "two", "one"]),
        ({"session_id": "s1"}, ["three", "one"]),
        ({"kind": "fact"}, ["three", "two"]),
        ({"kind": "fact", "session_id": "s1"}, ["three"]),
        ({"agent_id": "helper"}, ["of helper"]),
        ({"state": "archived"}, ["four"]),
        ({"state": "all", "limit": 2}, ["of helper", "four"]),
        ({"session_id": "unknown"}, []),
    ]
    for asked, contents in expected:
        listed = await store.get("/v1/memories", user_id="alice", **asked)
        assert [one["content"] for one in listed["items"]] == contents, asked
    assert (await store.get("/v1/memories", user_id="nobody"))["items"] == []
    of_agent = await store.get("/v1/memories", agent_id="helper")
    assert of_agent["items"] == []


async def test_a_list_says_which_memories_wait_for_their_vector(store: Store) -> None:
    stored = await store.remember("ready", "archived")
    await store.archive(stored[1]["id"])
    store.embedder.failing = True
    await store.remember("pending")

    listed = await store.get("/v1/memories", user_id="alice", state="all")

    states = {one["content"]: one["embedding"] for one in listed["items"]}
    assert states == {"ready": "ready", "archived": "none", "pending": "pending"}


async def _pages(store: Store, limit: int) -> list[str]:
    """Read a whole list page by page."""
    contents: list[str] = []
    cursor: Json = {}
    while True:
        page = await store.get("/v1/memories", user_id="alice", limit=limit, **cursor)
        contents += [one["content"] for one in page["items"]]
        if page["next_cursor"] is None:
            return contents
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}


async def test_pages_neither_skip_nor_repeat(store: Store) -> None:
    words = [f"{number}" for number in range(25)]
    await store.remember(*words, infer="none")

    for limit in (1, 5, 24, 25, 26):
        assert await _pages(store, limit) == words[::-1]


async def test_pages_hold_what_was_there_while_others_write(store: Store) -> None:
    before = [f"{number}" for number in range(30)]
    await store.remember(*before, infer="none")

    async def write() -> None:
        for number in range(10):
            await store.remember(f"late {number}", infer="none")

    pages, _ = await asyncio.gather(_pages(store, 3), write())

    assert [one for one in pages if not one.startswith("late")] == before[::-1]
    assert len(pages) == len(set(pages))


@pytest.mark.parametrize(
    "cursor", ["", "x", "djE6", encode_cursor(2**40), encode_cursor(2**62), "ä", "djE6LTE"]
)
async def test_a_cursor_of_another_list_is_refused(store: Store, cursor: str) -> None:
    stored = await store.remember("Words.")
    for path in ("/v1/memories", "/v1/sessions", "/v1/sessions/s/messages"):
        answer = await store.client.get(path, params={"user_id": "alice", "cursor": cursor})
        assert (answer.status_code, code_of(answer)) == (422, "invalid-cursor"), path
    path = f"/v1/memories/{stored[0]['id']}/history"
    if cursor not in {encode_cursor(2**40), encode_cursor(2**62)}:
        answer = await store.client.get(path, params={"cursor": cursor})
        assert (answer.status_code, code_of(answer)) == (422, "invalid-cursor")


async def test_lists_of_the_wrong_form_are_refused(store: Store) -> None:
    wrongs: list[Json] = [
        {"limit": 0},
        {"limit": 201},
        {"state": "dead"},
        {"kind": "\x00"},
        {"session_id": "\x00"},
        {"user_id": "\x00"},
        {"colour": "red"},
    ]
    for wrong in wrongs:
        answer = await store.client.get("/v1/memories", params={"user_id": "alice", **wrong})
        assert (answer.status_code, code_of(answer)) == (422, "invalid-request"), wrong


async def test_ids_that_are_none_are_refused(store: Store) -> None:
    for memory_id in ("1", "x", "%00"):
        answer = await store.client.get(f"/v1/memories/{memory_id}")
        assert answer.status_code == 422


async def test_ids_tell_the_order_of_creation(store: Store) -> None:
    stored = await store.remember(*[{"content": f"{n}", "occurred_at": at(-n)} for n in range(9)])
    stored += await store.remember("later")

    ids = [one["id"] for one in stored]
    assert ids == sorted(ids)
    assert all(one[14] == "7" for one in ids)
