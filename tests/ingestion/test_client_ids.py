"""A client_id makes an item safe to repeat, in whatever request."""

import asyncio

import pytest

from tests.api import code_of
from tests.memories.helpers import Store, at, twin

pytestmark = pytest.mark.pg

SAID = {"content": "I adopted a grey cat.", "client_id": "m1", "metadata": {"n": 1}}


async def test_a_repeated_item_gets_the_first_answer_and_is_stored_once(store: Store) -> None:
    first = await store.write(SAID)
    again = await store.write(SAID)

    assert again.status_code == 201
    assert again.json() == first.json()
    assert first.json()["items"][0]["status"] == "created"
    assert await store.count("memories") == 1
    assert await store.count("jobs") == 1


async def test_a_session_named_by_the_request_or_by_the_item_is_the_same(store: Store) -> None:
    first = await store.remember(SAID, session_id="s")

    again = await store.remember({**SAID, "session_id": "s"})

    assert again == first


@pytest.mark.parametrize(
    "other",
    [
        {"content": "I adopted a dog."},
        {"metadata": {"n": 2}},
        {"occurred_at": at(0)},
        {"importance": 0.5},
        {"session_id": "s"},
    ],
)
async def test_the_same_client_id_with_another_body_is_a_conflict(
    store: Store, other: dict[str, object]
) -> None:
    await store.remember(SAID)

    answer = await store.write("Not stored either.", {**SAID, **other})

    assert answer.status_code == 409
    assert code_of(answer) == "client-id-conflict"
    assert answer.json()["client_id"] == "m1"
    assert await store.count("memories") == 1


async def test_within_one_request_a_repeat_is_one_item_and_a_contradiction_a_conflict(
    store: Store,
) -> None:
    stored = await store.remember(SAID, SAID)
    assert stored[0] == stored[1]
    assert await store.count("memories") == 1

    answer = await store.write(
        {"content": "One.", "client_id": "m2"}, {"content": "Two.", "client_id": "m2"}
    )

    assert code_of(answer) == "client-id-conflict"
    assert await store.count("memories") == 1


async def test_client_ids_belong_to_one_owner(store: Store) -> None:
    first = await store.remember(SAID)
    other = await store.remember({**SAID, "content": "Bob's."}, user_id="bob")

    assert other[0]["status"] == "created"
    assert other[0]["id"] != first[0]["id"]


async def test_the_same_words_under_another_client_id_are_a_duplicate(store: Store) -> None:
    first = await store.remember({**SAID, "occurred_at": at(0)})

    again = await store.remember({**SAID, "occurred_at": at(0), "client_id": "m2"})

    assert again[0]["status"] == "duplicate"
    assert again[0]["client_id"] == "m2"
    assert again[0]["id"] == first[0]["id"]


async def test_a_client_id_of_an_erased_duplicate_is_free_again(store: Store) -> None:
    first = await store.remember({**SAID, "occurred_at": at(0)})
    said = {**SAID, "occurred_at": at(0), "client_id": "m2"}
    await store.remember(said)
    await store.erase(first[0]["id"])

    again = await store.remember({**said, "content": "Something else."})

    assert again[0]["status"] == "created"


async def test_a_repeat_after_an_edit_is_still_the_first_item(store: Store) -> None:
    first = await store.remember(SAID)
    await store.edit(first[0]["id"], content="Edited since.")

    again = await store.remember(SAID)

    assert again == first
    assert (await store.read(first[0]["id"]))["content"] == "Edited since."


async def test_the_same_item_sent_at_once_is_stored_once(store: Store) -> None:
    async with twin(store) as other:
        answers = await asyncio.gather(
            *(one.write(SAID, f"Filler {n}.") for n in range(3) for one in (store, other))
        )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["items"][0]["id"] for answer in answers}) == 1
    assert await store.count("memories") == 1 + 6


async def test_two_bodies_for_one_client_id_at_once_end_in_one_conflict(store: Store) -> None:
    answers = await asyncio.gather(
        *(store.write({"content": words, "client_id": "m1"}) for words in ("One.", "Two."))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await store.count("memories") == 1


async def test_a_client_id_of_a_duplicate_is_remembered_too(store: Store) -> None:
    words = {"content": "the cat is grey", "occurred_at": at(1)}
    first = (await store.remember({**words, "client_id": "a"}))[0]
    again = (await store.remember({**words, "client_id": "b"}))[0]

    repeated = (await store.remember({**words, "client_id": "b"}))[0]
    other = await store.write({"content": "something else", "client_id": "b"})

    assert again == repeated == {**first, "client_id": "b", "status": "duplicate"}
    assert other.status_code == 409
    assert code_of(other) == "client-id-conflict"


async def test_a_client_id_of_a_duplicate_counts_within_a_request(store: Store) -> None:
    words = {"content": "the cat is grey", "occurred_at": at(1)}

    answer = await store.write(
        {**words, "client_id": "a"},
        {**words, "client_id": "b"},
        {"content": "something else", "client_id": "b"},
    )

    assert answer.status_code == 409
