"""An Idempotency-Key makes a request safe to repeat."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from tests.api import code_of, new_key, with_key
from tests.memories.helpers import Json, Store, at, twin

pytestmark = pytest.mark.pg

REPLAYED = "idempotent-replayed"
SAID: list[str | Json] = [
    "I adopted a grey cat.",
    {"content": "How old?", "occurred_at": at(0), "client_id": "c"},
]


async def test_a_repeat_gets_the_first_answer_and_stores_nothing(store: Store) -> None:
    first = await store.write(*SAID, key="k1")
    again = await store.write(*SAID, key="k1")

    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert await store.count("memories") == 2


async def test_the_first_answer_stands_even_when_things_have_moved_on(store: Store) -> None:
    store.embedder.failing = True
    first = await store.write(*SAID, key="k1")
    store.embedder.failing = False
    await store.run_task("memories.embed")
    await store.erase(first.json()["items"][0]["id"])

    again = await store.write(*SAID, key="k1")

    assert again.json() == first.json()
    assert again.json()["items"][0]["embedding"] == "pending"


@pytest.mark.parametrize(
    "other",
    [
        {"user_id": "bob"},
        {"session_id": "s"},
        {"agent_id": "a"},
        {"infer": "none"},
        {"items": [{"content": "Other words."}]},
    ],
)
async def test_the_same_key_with_another_body_is_a_conflict(
    store: Store, other: dict[str, object]
) -> None:
    body = {"user_id": "alice", "items": [{"content": "Words."}]}
    headers = {"Idempotency-Key": "k1"}
    await store.client.post("/v1/memories", json=body, headers=headers)

    answer = await store.client.post("/v1/memories", json={**body, **other}, headers=headers)

    assert answer.status_code == 409
    assert code_of(answer) == "idempotency-conflict"
    assert await store.count("memories") == 1


async def test_members_in_another_order_are_the_same_body(store: Store) -> None:
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    texts = (
        '{"user_id": "alice", "items": [{"content": "Words.", "metadata": {"a": 1, "b": 2}}]}',
        '{"items": [{"metadata": {"b": 2, "a": 1}, "content": "Words."}], "user_id": "alice"}',
    )

    answers = [
        await store.client.post("/v1/memories", content=text, headers=headers) for text in texts
    ]

    assert answers[1].headers[REPLAYED] == "true"
    assert answers[1].json() == answers[0].json()


async def test_the_same_body_under_another_key_or_none_is_another_request(store: Store) -> None:
    for key in ("k1", "k2", None):
        assert (await store.write("Hello.", key=key)).status_code == 201
    assert await store.count("memories") == 3


async def test_a_key_of_one_tenant_means_nothing_to_another(store: Store) -> None:
    await store.write("Mine.", key="k1")
    elsewhere = await store.client.post(
        "/v1/memories",
        json={"user_id": "alice", "items": [{"content": "Theirs."}]},
        headers={**with_key(await new_key(store.client)), "Idempotency-Key": "k1"},
    )

    assert elsewhere.status_code == 201
    assert REPLAYED not in elsewhere.headers


async def test_a_refused_request_leaves_its_key_unused(store: Store) -> None:
    refused = await store.write("Fine.", {"content": "\x00"}, key="k1")
    assert refused.status_code == 422

    accepted = await store.write("Fine.", key="k1")

    assert accepted.status_code == 201
    assert REPLAYED not in accepted.headers


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "schlüssel".encode().decode("latin-1")])
async def test_a_key_that_is_no_plain_word_is_refused(store: Store, key: str) -> None:
    answer = await store.client.post(
        "/v1/memories",
        json={"user_id": "alice", "items": [{"content": "Words."}]},
        headers={b"Idempotency-Key": key.encode("latin-1")},
    )

    assert answer.status_code == 422
    assert code_of(answer) == "invalid-request"


def _assert_one_copy(answers: Sequence[httpx.Response]) -> None:
    assert [answer.status_code for answer in answers] == [201] * len(answers)
    assert len({answer.text for answer in answers}) == 1
    assert sum(REPLAYED not in answer.headers for answer in answers) == 1


async def test_identical_requests_at_once_store_one_copy(store: Store) -> None:
    answers = await asyncio.gather(*(store.write(*SAID, "Third.", key="k1") for _ in range(6)))

    _assert_one_copy(answers)
    assert await store.count("memories") == 3
    assert await store.count("jobs") == 1


async def test_identical_requests_to_two_processes_at_once_store_one_copy(store: Store) -> None:
    async with twin(store) as other:
        answers = await asyncio.gather(
            *(one.write(*SAID, key="k1") for _ in range(3) for one in (store, other))
        )

    _assert_one_copy(answers)
    assert await store.count("memories") == 2


async def test_one_key_for_two_owners_at_once_serves_only_one_of_them(store: Store) -> None:
    for round_number in range(3):
        answers = await asyncio.gather(
            *(store.write("Words.", key=f"k{round_number}", user_id=who) for who in ("ann", "ben"))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
