"""Segments follow what is said, edited, archived and erased."""

import pytest

from app.segmentation.service import cutting
from tests.memories.helpers import Json, Store, at, twin
from tests.segmentation.helpers import chat, rows, segmented, segments, topical

pytestmark = pytest.mark.pg


async def test_a_segment_begins_where_the_topic_changes(store: Store) -> None:
    stored = await store.remember(*chat(0, 1, 2))

    await segmented(store)

    found = await segments(store)
    assert [one["turns"] for one in found] == [12, 12, 12]
    assert [one["began_by"] for one in found] == ["start", "surprise", "surprise"]
    assert [one["first_id"] for one in found] == [stored[n]["id"] for n in (0, 12, 24)]
    assert [one["last_id"] for one in found] == [stored[n]["id"] for n in (11, 23, 35)]
    assert [one["is_closed"] for one in found] == [True, True, False]
    assert found[0]["surprise"] is None
    assert 0 < found[1]["surprise"] <= 2
    assert found[0]["generated_by"] == "deterministic:embedding"


async def test_turns_of_the_segment_stand_for_it(store: Store) -> None:
    stored = await store.remember(*chat(0, 1))
    await segmented(store)

    first, second = await segments(store)

    assert len(first["representatives"]) == 4
    ids = [one["id"] for one in stored]
    assert {one["id"] for one in first["representatives"]} <= set(ids[:12])
    assert {one["id"] for one in second["representatives"]} <= set(ids[12:])
    assert all("tomatoes" in one["content"] or "soil" in one["content"] or "spade"
               in one["content"] for one in first["representatives"])  # fmt: skip


async def test_cut_turn_by_turn_or_at_once_it_is_the_same(store: Store) -> None:
    said = chat(0, 1, 2, 3, turns=11)
    await store.remember(*said, user_id="at once")
    await segmented(store, "at once")
    for one in said:
        await store.remember(one, user_id="bit by bit")
        await segmented(store, "bit by bit")

    assert await rows(store, "bit by bit") == [
        {**row, "owner_id": (await store.scope("bit by bit")).owner_id}
        for row in await rows(store, "at once")
    ]
    assert len(await rows(store, "at once")) == 4


async def test_sessions_and_agents_are_streams_of_their_own(store: Store) -> None:
    items: list[Json] = []
    for number in range(10):
        items.append({"content": topical(0, number), "session_id": "a", "occurred_at": at(number)})
        items.append({"content": topical(1, number), "session_id": "b", "occurred_at": at(number)})
    await store.remember(*items)
    await store.remember(
        *({"content": topical(2, n), "session_id": "a", "occurred_at": at(n)} for n in range(3)),
        agent_id="cook",
    )

    await segmented(store)

    found = [(one["session_id"], one["agent_id"], one["turns"]) for one in await segments(store)]
    assert sorted(found, key=repr) == [("a", "cook", 3), ("a", None, 10), ("b", None, 10)]
    assert len(await segments(store, session_id="b")) == 1
    assert len(await segments(store, agent_id="cook")) == 1


async def test_a_pause_begins_a_segment(store: Store) -> None:
    await store.remember(*chat(0, turns=4), *chat(0, turns=4, start=60))

    await segmented(store)

    found = await segments(store)
    assert [(one["turns"], one["began_by"]) for one in found] == [(4, "start"), (4, "gap")]
    assert found[0]["is_closed"]


async def test_the_chain_run_again_changes_nothing(store: Store) -> None:
    await store.remember(*chat(0, 1, 2))
    await segmented(store)
    before = await rows(store)

    await segmented(store)

    assert await rows(store) == before


async def _recut(store: Store) -> list[Json]:
    """Return the rows of a user who has always had what Alice has now."""
    held = (await store.get("/v1/memories", user_id="alice", limit=200))["items"][::-1]
    names = ("content", "name", "session_id", "occurred_at")
    await store.remember(*({n: one[n] for n in names} for one in held), user_id="ideal")
    await segmented(store, "ideal")
    return await rows(store, "ideal")


def _sizes(held: list[Json]) -> list[tuple[int, str]]:
    return [(len(row["members"]), row["reason"]) for row in held]


@pytest.mark.parametrize("refinement", ["none", "modularity"])
async def test_what_is_erased_is_in_no_segment_and_the_rest_is_cut_anew(
    store: Store, refinement: str
) -> None:
    stored = await store.remember(*chat(0, 1, 2, 3))
    await segmented(store, refinement=refinement)

    for number in (5, 12, 13, 14):
        await store.erase(stored[number]["id"])
        assert number + 1 not in {o for row in await rows(store) for o in row["members"]}
        assert number + 1 not in {o for row in await rows(store) for o in row["representatives"]}
    assert any(not one["is_closed"] for one in (await segments(store))[:2]), "it is stale"
    await segmented(store, refinement=refinement)

    assert _sizes(await rows(store)) == _sizes(await _recut(store))
    assert not any(row["is_stale"] for row in await rows(store))


@pytest.mark.parametrize("last", [False, True])
async def test_a_session_that_is_erased_leaves_no_segment(store: Store, *, last: bool) -> None:
    stored = await store.remember(*chat(0, turns=3), *chat(0, turns=3, start=60))
    await segmented(store)

    for one in stored[3:] if last else stored[:3]:
        await store.erase(one["id"])
    assert len(await segments(store)) == 1
    await segmented(store)

    assert _sizes(await rows(store)) == [(3, "start")]


async def test_archived_turns_leave_and_restored_ones_come_back(store: Store) -> None:
    stored = await store.remember(*chat(0, 1, 2))
    await segmented(store)
    before = await rows(store)

    for number in (0, 12, 20):
        await store.archive(stored[number]["id"])
    await segmented(store)
    without = await rows(store)
    for number in (20, 0, 12):
        await store.restore(stored[number]["id"])
    await segmented(store)

    assert [len(row["members"]) for row in without] == [11, 10, 12]
    assert await rows(store) == before


async def test_an_edit_that_changes_the_topic_moves_a_boundary(store: Store) -> None:
    stored = await store.remember(*chat(0, 1))
    await segmented(store)

    for number in (9, 10, 11):
        await store.edit(stored[number]["id"], content=topical(1, number))
    await segmented(store)

    assert [one["turns"] for one in await segments(store)] == [9, 15]


async def test_a_long_stream_is_cut_in_pieces_with_the_same_result(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = chat(*(n % 4 for n in range(16)), turns=10)
    await store.remember(*said)
    await segmented(store)
    whole = await rows(store)
    assert len(whole) > 12

    monkeypatch.setattr(cutting, "_AT_ONCE", 40)
    first = (await store.get("/v1/memories", user_id="alice", limit=200))["items"][-1]
    await store.archive(first["id"])
    await segmented(store)
    assert _sizes(await rows(store)) == _sizes(await _recut(store))
    await store.restore(first["id"])
    await segmented(store)

    assert await rows(store) == whole


async def test_a_change_far_away_leaves_segments_alone(store: Store) -> None:
    stored = await store.remember(*chat(*(n % 4 for n in range(16)), turns=10))
    await segmented(store)
    last = (await rows(store))[-2]
    await store.rows(
        "UPDATE segments SET surprise = 1.5 WHERE owner_id = :owner_id AND first_ordinal = :first",
        owner_id=last["owner_id"],
        first=last["first_ordinal"],
    )

    await store.edit(stored[3]["id"], content=topical(0, 99))
    await segmented(store)

    assert (await rows(store))[-2]["surprise"] == 1.5, "it was cut anew for nothing"


async def test_what_may_not_be_inferred_from_is_in_no_segment(store: Store) -> None:
    await store.remember(*chat(0, turns=3), infer="none")

    await segmented(store)

    assert await segments(store) == []


async def test_a_turn_without_a_vector_is_no_surprise(store: Store) -> None:
    await store.remember(*chat(0, 1))
    scope = await store.scope()
    (model,) = (await store.rows("SELECT max(model_id) FROM embedding_models"))[0]
    await store.rows(
        f"DELETE FROM embeddings_{model} WHERE owner_id = :owner_id AND key_ordinal = 5",
        owner_id=scope.owner_id,
    )

    await segmented(store)

    assert [one["turns"] for one in await segments(store)] == [12, 12]


async def test_segments_are_listed_in_pages_newest_first(store: Store) -> None:
    await store.remember(*chat(0, 1, 2))
    await segmented(store)
    whole = (await segments(store))[::-1]

    first = await store.get("/v1/users/alice/segments", limit=2)
    rest = await store.get("/v1/users/alice/segments", limit=2, cursor=first["next_cursor"])

    assert first["items"] + rest["items"] == whole
    assert rest["next_cursor"] is None


async def test_an_agent_has_segments_too(store: Store) -> None:
    await store.remember(*chat(0, turns=3), user_id=None, agent_id="cook")
    await segmented(store, "cook")

    found = (await store.get("/v1/agents/cook/segments"))["items"]

    assert [one["turns"] for one in found] == [3]


async def test_other_tenants_and_unknown_owners_see_nothing(store: Store) -> None:
    await store.remember(*chat(0, turns=3))
    await segmented(store)

    async with twin(store) as other:
        answer = await other.client.get("/v1/users/bob/segments")

    assert answer.status_code == 404


async def test_switched_off_it_cuts_nothing_and_names_nothing_archived(store: Store) -> None:
    stored = await store.remember(*chat(0, turns=4))
    await segmented(store)
    await store.send("PUT", "/v1/settings", {"mechanisms": {"segments": False}})

    await store.archive(stored[1]["id"])
    await store.remember(*chat(1, turns=4, start=200))
    await segmented(store)
    assert [row["members"] for row in await rows(store)] == [[1, 3, 4]]

    await store.send("PUT", "/v1/settings", {"mechanisms": {"segments": True}})
    await segmented(store)
    assert [row["members"] for row in await rows(store)] == [[1, 3, 4], [5, 6, 7, 8]]
    assert not any(row["is_stale"] for row in await rows(store))


async def test_an_erased_owner_has_no_segments(store: Store) -> None:
    await store.remember(*chat(0, turns=3))
    await segmented(store)

    answer = await store.client.delete("/v1/users/alice")

    assert answer.json()["erased"]["segments"] == 1
