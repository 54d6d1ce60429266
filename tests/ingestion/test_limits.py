"""Each excess is refused by name, and nothing of the request is stored."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.kit.settings import LimitSettings, Settings
from tests.api import code_of
from tests.memories.helpers import UNHOLDABLE, Json, Sent, Store, at, opened

pytestmark = pytest.mark.pg

MIB = 1_048_576


def _nested(depth: int) -> Json:
    """Return metadata of exactly this depth."""
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return dict(value)


async def _refusal(store: Store, *said: str | Json, **more: Sent) -> tuple[int, str, str]:
    """Return status, code and detail of a refused write, once sure that nothing was kept."""
    answer = await store.write("A good item.", *said, **more)
    listed = await store.get("/v1/memories", user_id="alice")
    assert listed["items"] == []
    return answer.status_code, code_of(answer), answer.json()["detail"]


async def test_content_of_a_mebibyte_is_taken_and_a_byte_more_is_not(store: Store) -> None:
    longest = "ä" * (MIB // 2)

    status, code, detail = await _refusal(store, longest + "a")

    assert (status, code) == (413, "limit-exceeded")
    assert "items[1].content" in detail
    assert str(MIB) in detail
    assert len(await store.remember(longest)) == 1


async def test_a_thousand_items_are_taken_and_one_more_is_not(store: Store) -> None:
    many = [f"Line {number}." for number in range(1_000)]

    status, code, detail = await _refusal(store, *many)

    assert (status, code) == (413, "limit-exceeded")
    assert "1000 items" in detail
    assert len(await store.remember(*many, infer="none")) == 1_000


async def test_no_items_are_refused(store: Store) -> None:
    answer = await store.client.post("/v1/memories", json={"user_id": "alice", "items": []})

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")


async def test_a_body_over_the_limit_is_refused_unread(
    room_settings: Settings, room_engine: AsyncEngine
) -> None:
    assert LimitSettings().body_bytes == 16 * MIB
    limits = LimitSettings(body_bytes=2_000)
    small = room_settings.model_copy(update={"limits": limits})
    async with opened(small, room_engine) as store:
        status, code, detail = await _refusal(store, "x" * 2_000)

    assert (status, code) == (413, "body-too-large")
    assert "2000 bytes" in detail


async def test_metadata_of_16_kib_is_taken_and_a_byte_more_is_not(store: Store) -> None:
    room = 16_384 - len('{"a": ""}')

    status, code, detail = await _refusal(
        store, {"content": "x", "metadata": {"a": "é" * (room // 2) + "xx"}}
    )

    assert (status, code) == (413, "limit-exceeded")
    assert "items[1].metadata" in detail
    assert "16384 bytes" in detail
    await store.remember({"content": "x", "metadata": {"a": "x" * room}})


async def test_metadata_of_depth_8_is_taken_and_deeper_is_not(store: Store) -> None:
    status, code, detail = await _refusal(store, {"content": "x", "metadata": _nested(9)})

    assert (status, code) == (422, "invalid-item")
    assert "items[1].metadata" in detail
    assert "8" in detail
    stored = await store.remember({"content": "x", "metadata": _nested(8)})
    assert (await store.read(stored[0]["id"]))["metadata"] == _nested(8)


async def test_metadata_that_postgres_cannot_hold_is_refused(store: Store) -> None:
    for metadata in UNHOLDABLE:
        status, code, detail = await _refusal(store, {"content": "x", "metadata": metadata})

        assert (status, code) == (422, "invalid-item"), metadata
        assert detail.startswith("items[1].metadata ")


async def test_metadata_is_an_object(store: Store) -> None:
    wrongs: tuple[object, ...] = ([], "text", 1, None)
    for metadata in wrongs:
        status, code, _ = await _refusal(store, {"content": "x", "metadata": metadata})

        assert (status, code) == (422, "invalid-request")


@pytest.mark.parametrize(
    "member", ["content", "client_id", "session_id", "role", "name", "kind", "place"]
)
async def test_nul_and_lone_surrogates_are_refused_in_every_text(store: Store, member: str) -> None:
    for bad in ("\x00", "a\x00b", "\ud800", "a\udfffb"):
        status, code, detail = await _refusal(store, {"content": "x", member: bad})

        assert (status, code) == (422, "invalid-request"), repr(bad)
        assert f"items[1].{member}" in detail


@pytest.mark.parametrize("member", ["occurred_at", "expires_at"])
async def test_times_without_offset_or_out_of_range_are_refused(store: Store, member: str) -> None:
    naive = ("2026-01-31T09:30:00", "2026-01-31", "yesterday", "", 1769848200)
    for moment in (*naive, "0001-01-01T00:00:00+14:00"):
        status, code, detail = await _refusal(store, {"content": "x", member: moment})

        assert (status, code) == (422, "invalid-request"), moment
        assert f"items[1].{member}" in detail


async def test_items_of_the_wrong_form_are_refused(store: Store) -> None:
    wrongs: list[Json] = [
        {"content": ""},
        {"content": None},
        {"content": 7},
        {"importance": 1.1},
        {"importance": -0.1},
        {"kind": "Episode"},
        {"kind": "x" * 33},
        {"client_id": ""},
        {"client_id": "x" * 257},
        {"session_id": " "},
        {"role": "x" * 201},
        {"unknown": 1},
        {"pinned": "perhaps"},
    ]
    for wrong in wrongs:
        status, code, detail = await _refusal(store, {"content": "x", **wrong})

        assert (status, code) == (422, "invalid-request"), wrong
        assert f"items[1].{next(iter(wrong))}" in detail


async def test_requests_of_the_wrong_form_are_refused(store: Store) -> None:
    for member, value in (
        ("user_id", ""),
        ("user_id", "\x00"),
        ("infer", "maybe"),
        ("agent_id", "."),
        ("session_id", "\ud800"),
        ("extra", 1),
    ):
        status, code, _ = await _refusal(store, **{member: value})

        assert (status, code) == (422, "invalid-request"), member


async def test_somebody_must_own_the_memories(store: Store) -> None:
    status, code, _ = await _refusal(store, user_id=None)

    assert (status, code) == (422, "owner-required")


async def test_every_member_of_an_item_comes_back_as_it_was_sent(store: Store) -> None:
    sent = {
        "content": "Grüße, 世界 \U0001f600\n\ttabs",
        "role": "user",
        "name": "Zoë",
        "kind": "fact",
        "occurred_at": at(0),
        "expires_at": "9999-12-31T23:59:59+00:00",
        "importance": 0.25,
        "pinned": True,
        "place": "Café",
        "session_id": "s/1?",
        "metadata": {"n": 1.5, "big": 10**30, "list": [None, True, {"ü": ""}], "": "empty"},
    }

    stored = await store.remember(sent, agent_id="helper")

    read = await store.read(stored[0]["id"])
    for member in ("occurred_at", "expires_at"):
        read[member] = read[member].replace("Z", "+00:00")
    assert {name: read[name] for name in sent} == sent
    assert read["agent_id"] == "helper"
    assert read["generated_by"] is None
    assert read["archived_at"] is None
