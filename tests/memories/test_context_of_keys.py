"""The turn before: whose words a key may carry, and how many of them."""

import pytest

from app.memories import kernel
from tests.memories.helpers import Store, at

pytestmark = pytest.mark.pg


async def test_a_huge_turn_does_not_make_its_session_unwritable(store: Store) -> None:
    huge = " ".join(f"word{number:06}" for number in range(80_000))
    await store.remember({"content": huge}, session_id="s", infer="none")

    await store.remember("thanks for the paste", session_id="s")

    assert "thanks for the paste" in await store.by_words("thanks paste")
    assert "thanks for the paste" not in await store.by_words("word000001")
    assert "thanks for the paste" in await store.by_words("word079999")


def test_only_the_end_of_a_long_turn_counts() -> None:
    assert kernel.CONTEXT_CHARACTERS == 1_000


async def test_an_archived_turn_lends_its_words_to_nobody(store: Store) -> None:
    first, _ = await store.remember("the giraffe", "hello there", session_id="s")
    assert "hello there" in await store.by_words("giraffe")

    await store.client.post(f"/v1/memories/{first['id']}:archive")
    hidden = await store.by_words("giraffe")
    await store.client.post(f"/v1/memories/{first['id']}:restore")

    assert hidden == []
    assert "hello there" in await store.by_words("giraffe")


async def test_an_archived_turn_is_not_in_a_prompt_and_an_edited_one_stands_as_edited(
    store: Store,
) -> None:
    first, second = await store.remember("the code is 4711", "the cat is grey", session_id="s")
    await store.client.post(f"/v1/memories/{first['id']}:archive")
    await store.client.patch(f"/v1/memories/{second['id']}", json={"content": "the cat is red"})

    text = (await store.context("anything", session_id="s", max_tokens=500))["text"]

    assert "4711" not in text
    assert "red" in text
    assert "grey" not in text


async def test_another_agents_turn_is_no_context(store: Store) -> None:
    await store.remember("the zanzibar plan", session_id="s", agent_id="one")
    await store.remember("hello there", session_id="s", agent_id="two")

    assert await store.by_words("zanzibar", agent_id="two") == []
    assert await store.by_words("hello", agent_id="two") == ["hello there"]


async def test_an_agent_is_shown_its_own_part_of_a_session(store: Store) -> None:
    one = {"content": "first", "occurred_at": at(1)}
    two = {"content": "second", "occurred_at": at(9)}
    await store.remember(one, session_id="s", agent_id="one")
    await store.remember(two, session_id="s", agent_id="two")

    answer = await store.client.get("/v1/sessions", params={"user_id": "alice", "agent_id": "two"})

    (shown,) = answer.json()["items"]
    assert shown["messages"] == 1
    assert shown["first_at"] == shown["last_at"]


@pytest.mark.parametrize("moment", ["9999-12-31T23:30:00Z", "0001-01-01T00:00:00Z"])
async def test_the_ends_of_the_calendar_are_dates_too(store: Store, moment: str) -> None:
    for zone in ("Asia/Tokyo", "America/New_York"):
        body = {"time_zone": zone, "language": "en"}
        changed = await store.client.put("/v1/users/alice/settings", json=body)
        assert changed.status_code == 200, changed.text

        await store.remember({"content": f"far away {zone}", "occurred_at": moment})
        context = await store.context("far away", max_tokens=200)

        assert "far away" in context["text"]
