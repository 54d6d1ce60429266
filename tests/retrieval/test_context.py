"""Text for a prompt: within its tokens, nothing twice, in order of time."""

import random

import pytest

from app.embeddings.kernel import estimate_tokens
from tests.memories.helpers import Json, Store, at
from tests.retrieval.helpers import sentence

pytestmark = pytest.mark.pg


async def _talk(store: Store, number: int = 40) -> None:
    """Remember a conversation, and other things."""
    generator = random.Random(7)
    turns: list[Json] = [
        {
            "content": sentence(generator, 1, 20),
            "name": generator.choice(["Alice", "Zoë", None]),
            "role": generator.choice(["user", None]),
            "occurred_at": at(index),
        }
        for index in range(number)
    ]
    await store.remember(*turns, session_id="s", infer="none")
    others = [{**turn, "occurred_at": at(100 + n)} for n, turn in enumerate(turns)]
    await store.remember(*others, infer="none")


def _section(packed: Json, name: str) -> Json:
    return next(one for one in packed["sections"] if one["name"] == name)


def _assert_sound(packed: Json, max_tokens: int) -> None:
    assert packed["tokens"] <= max_tokens
    assert packed["tokens"] == sum(one["tokens"] for one in packed["sections"])
    assert [one["name"] for one in packed["sections"]] == ["profile", "recent", "memories"]
    texts = [one["text"] for one in packed["sections"] if one["text"]]
    assert packed["text"] == "\n\n".join(texts)
    ids = [memory_id for one in packed["sections"] for memory_id in one["memory_ids"]]
    assert len(ids) == len(set(ids))
    for one in packed["sections"]:
        heading_and_lines = one["text"].split("\n") if one["text"] else []
        assert len(heading_and_lines) == len(one["memory_ids"]) + bool(one["text"])
        dates = [line[3:19] for line in heading_and_lines[1:]]
        assert dates == sorted(dates)


@pytest.mark.parametrize("is_away", [False, True])
@pytest.mark.parametrize("count_by", ["embedder", "characters"])
async def test_it_stays_within_any_budget(store: Store, count_by: str, is_away: bool) -> None:
    await _talk(store)
    store.embedder.failing = is_away
    measure = estimate_tokens if count_by == "embedder" else lambda text: -(-len(text) // 4)
    generator = random.Random(3)
    budgets = [*range(1, 51, 3), *(generator.randint(50, 3_000) for _ in range(12))]

    for max_tokens in budgets:
        packed = await store.context(
            "cat garden", session_id="s", max_tokens=max_tokens, count_by=count_by
        )
        _assert_sound(packed, max_tokens)
        # The whole text, not only its parts, by the same measure.
        assert measure(packed["text"]) <= max_tokens


async def test_the_line_breaks_count_too(store: Store) -> None:
    # Each line is a whole number of the estimate's tokens, so that nothing is rounded up.
    turns: list[str | Json] = [{"content": "abc" * 3, "occurred_at": at(n)} for n in range(60)]
    await store.remember(*turns, session_id="s", infer="none")
    for max_tokens in (100, 300, 450):
        packed = await store.context("cat", session_id="s", max_tokens=max_tokens)
        assert estimate_tokens(packed["text"]) <= max_tokens


async def test_a_large_budget_shows_the_turns_and_the_memories(store: Store) -> None:
    await _talk(store, number=10)

    packed = await store.context("cat garden", session_id="s", max_tokens=100_000)

    turns = await store.get("/v1/sessions/s/messages", user_id="alice")
    shown = {one for section in packed["sections"] for one in section["memory_ids"]}
    assert shown >= {turn["id"] for turn in turns["items"]}
    assert len(shown) == 20
    assert _section(packed, "profile") == {
        "name": "profile", "text": "", "tokens": 0, "memory_ids": [],
    }  # fmt: skip
    assert packed["degraded"] == []


async def test_the_last_turns_of_the_session_are_shown_with_speaker_and_date(store: Store) -> None:
    await store.remember(
        {"content": "Where is\nthe cat?", "name": "Alice", "role": "user", "occurred_at": at(0)},
        {"content": "On the sofa.", "role": "assistant", "occurred_at": at(1)},
        session_id="s",
    )
    await store.remember({"content": "Elsewhere.", "occurred_at": at(2)}, session_id="t")

    packed = await store.context("the sofa", session_id="s", filters={"kind": {"eq": "none"}})

    assert packed["text"] == (
        "## Recent turns\n"
        "- [2026-01-31 09:00] Alice: Where is the cat?\n"
        "- [2026-01-31 09:01] assistant: On the sofa."
    )


async def test_dates_are_in_the_owners_time_zone(store: Store) -> None:
    await store.remember({"content": "Late.", "occurred_at": "2026-01-31T23:30:00Z"})
    answer = await store.send("PUT", "/v1/users/alice/settings", {"time_zone": "Asia/Tokyo"})
    assert answer.status_code == 200

    assert "- [2026-02-01 08:30] Late." in (await store.context("late"))["text"]


async def test_without_a_session_there_are_only_memories(store: Store) -> None:
    await _talk(store, number=3)

    packed = await store.context("cat garden")

    assert _section(packed, "recent")["memory_ids"] == []
    assert len(_section(packed, "memories")["memory_ids"]) == 6


async def test_filters_and_agents_narrow_it(store: Store) -> None:
    await store.remember({"content": "A cat.", "metadata": {"n": 1}}, "Another cat.")
    await store.remember({"content": "A third cat."}, agent_id="helper", session_id="s")

    packed = await store.context("cat", filters={"metadata.n": {"eq": 1}})
    assert "A cat." in packed["text"]
    assert "Another" not in packed["text"]
    packed = await store.context("cat", agent_id="helper")
    assert len(_section(packed, "memories")["memory_ids"]) == 1
    packed = await store.context("cat", agent_id="other", session_id="s")
    assert packed["text"] == ""


async def test_an_unknown_owner_or_session_gives_an_empty_text(store: Store) -> None:
    for more in ({"user_id": "nobody"}, {"user_id": "nobody", "session_id": "s"}):
        packed = await store.context("cat", **more)
        _assert_sound(packed, 1_000)
        assert (packed["text"], packed["tokens"], packed["degraded"]) == ("", 0, [])
    await store.remember("A cat.")
    packed = await store.context("cat", session_id="unknown")
    assert _section(packed, "recent")["memory_ids"] == []


async def test_without_the_embedder_it_is_made_by_keyword_and_estimate(store: Store) -> None:
    await _talk(store, number=5)
    store.embedder.failing = True

    packed = await store.context("cat garden", session_id="s", max_tokens=500)

    assert packed["degraded"] == ["dense", "tokenizer"]
    assert _section(packed, "recent")["memory_ids"] != []
    _assert_sound(packed, 500)
    packed = await store.context("cat garden", count_by="characters")
    assert packed["degraded"] == ["dense"]


async def test_turns_stand_in_the_order_of_time_even_when_sent_in_another(store: Store) -> None:
    for minute in (5, 1, 3):
        await store.remember({"content": f"at {minute}", "occurred_at": at(minute)}, session_id="s")

    packed = await store.context("at", session_id="s")

    lines = _section(packed, "recent")["text"].split("\n")[1:]
    assert [line.split("] ")[1] for line in lines] == ["at 1", "at 3", "at 5"]


async def test_memories_too_long_for_the_budget_make_room_for_shorter_ones(store: Store) -> None:
    await store.remember("cat " * 3_000, "A cat.")

    packed = await store.context("cat", max_tokens=60)

    assert "A cat." in packed["text"]
    _assert_sound(packed, 60)


@pytest.mark.parametrize(
    "wrong",
    [{"max_tokens": 0}, {"max_tokens": 1_000_001}, {"count_by": "words"}, {"query": " "}],
)
async def test_requests_of_the_wrong_form_are_refused(store: Store, wrong: Json) -> None:
    body = {"query": "cat", "user_id": "alice", **wrong}
    assert (await store.send("POST", "/v1/context", body)).status_code == 422


async def test_what_is_archived_or_erased_is_not_among_the_memories(store: Store) -> None:
    stored = await store.remember("A grey cat.", "A red cat.", "A blue cat.")
    await store.archive(stored[0]["id"])
    await store.erase(stored[1]["id"])

    packed = await store.context("cat")

    assert _section(packed, "memories")["memory_ids"] == [stored[2]["id"]]


async def test_recent_turns_are_as_they_are_held_now(store: Store) -> None:
    past = "2026-01-01T00:00:00Z"
    stored = await store.remember(
        {"content": "As it was said.", "occurred_at": at(0)},
        {"content": "Archived.", "occurred_at": at(1)},
        {"content": "Expired.", "occurred_at": at(2), "expires_at": past},
        {"content": "Kept.", "occurred_at": at(3)},
        session_id="s",
    )
    await store.edit(stored[0]["id"], content="As it was corrected.")
    await store.archive(stored[1]["id"])

    packed = await store.context("nothing", session_id="s")

    assert [line.split("] ")[1] for line in packed["sections"][1]["text"].split("\n")[1:]] == [
        "As it was corrected.",
        "Kept.",
    ]
