"""The same words at the same time are kept once."""

import pytest

from tests.memories.helpers import Store, at

pytestmark = pytest.mark.pg

SAID = {"content": "I adopted a grey cat.", "name": "Alice", "occurred_at": at(0)}


async def test_the_same_words_at_the_same_time_are_a_duplicate_of_the_first(store: Store) -> None:
    first = (await store.remember(SAID))[0]
    again = (await store.remember(SAID))[0]

    assert first["status"] == "created"
    assert again["status"] == "duplicate"
    assert again["id"] == first["id"]
    assert await store.count("memories") == 1
    assert await store.count("episodes") == 1
    assert await store.count("memory_keys") == 1


async def test_a_duplicate_within_one_request_is_found_too(store: Store) -> None:
    stored = await store.remember(SAID, "Something else.", SAID)

    assert [one["status"] for one in stored] == ["created", "created", "duplicate"]
    assert stored[2]["id"] == stored[0]["id"]
    assert await store.count("memories") == 2


async def test_the_same_instant_in_another_time_zone_is_the_same_time(store: Store) -> None:
    first = await store.remember({**SAID, "occurred_at": "2026-01-31T09:30:00+01:00"})
    again = await store.remember({**SAID, "occurred_at": "2026-01-31T08:30:00Z"})

    assert again[0] == {**first[0], "status": "duplicate"}


@pytest.mark.parametrize(
    "other",
    [
        {"content": "I adopted a grey cat"},
        {"occurred_at": at(1)},
        {"name": "Bob"},
        {"role": "user"},
        {"session_id": "s"},
        {"kind": "fact"},
    ],
)
async def test_other_words_speakers_times_or_sessions_are_news(
    store: Store, other: dict[str, str]
) -> None:
    await store.remember(SAID)

    stored = await store.remember({**SAID, **other})

    assert stored[0]["status"] == "created"


async def test_other_metadata_does_not_make_it_news(store: Store) -> None:
    await store.remember(SAID)

    stored = await store.remember({**SAID, "metadata": {"n": 1}, "importance": 1})

    assert stored[0]["status"] == "duplicate"


async def test_words_without_a_time_are_never_duplicates(store: Store) -> None:
    stored = [*await store.remember("Hello.", "Hello."), *await store.remember("Hello.")]

    assert {one["status"] for one in stored} == {"created"}
    assert len({one["id"] for one in stored}) == 3


async def test_the_same_words_of_two_users_and_of_two_agents_are_kept_apart(store: Store) -> None:
    for who in ({}, {"user_id": "bob"}, {"agent_id": "a"}, {"agent_id": "b"}):
        stored = await store.remember(SAID, **who)
        assert stored[0]["status"] == "created", who


async def test_a_request_may_mix_news_duplicates_and_repeats(store: Store) -> None:
    known = await store.remember(SAID, {"content": "Named.", "client_id": "c"})

    stored = await store.remember(
        "News.", SAID, {"content": "Named.", "client_id": "c"}, {"content": "N", "client_id": "d"}
    )

    assert [one["status"] for one in stored] == ["created", "duplicate", "created", "created"]
    assert [one["client_id"] for one in stored] == [None, None, "c", "d"]
    assert stored[1]["id"] == known[0]["id"]
    assert stored[2]["id"] == known[1]["id"]
    assert await store.count("memories") == 4


async def test_items_keep_the_order_they_were_sent_in(store: Store) -> None:
    words = [f"Line {number}." for number in range(30)]

    stored = await store.remember(*words, session_id="s")

    listed = await store.get("/v1/sessions/s/messages", user_id="alice")
    assert [one["content"] for one in listed["items"]] == words
    assert [one["id"] for one in listed["items"]] == [one["id"] for one in stored]
    times = [one["occurred_at"] for one in listed["items"]]
    assert times == sorted(set(times))


async def test_what_was_erased_is_news_again(store: Store) -> None:
    first = await store.remember(SAID)
    await store.erase(first[0]["id"])

    again = await store.remember(SAID)

    assert again[0]["status"] == "created"
    assert again[0]["id"] != first[0]["id"]


async def test_what_is_archived_is_still_a_duplicate(store: Store) -> None:
    first = await store.remember(SAID)
    await store.archive(first[0]["id"])

    again = await store.remember(SAID)

    assert again[0]["status"] == "duplicate"
    assert await store.by_words("cat") == []
