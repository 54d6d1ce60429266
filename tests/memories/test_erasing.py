"""What is erased is nowhere; what was made of it alone goes with it, anything else stays."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.kit.clock import now
from app.kit.ids import new_id
from app.memories import service
from app.memories.schemas import NewMemory
from tests.api import code_of
from tests.memories import invariants
from tests.memories.helpers import Store, at
from tests.tables import places_of

pytestmark = pytest.mark.pg


async def test_an_erased_memory_leaves_nothing_anywhere(fresh: Store) -> None:
    stored = await fresh.remember(
        {"content": "My xylophone.", "metadata": {"xylophone": 1}, "client_id": "xylophone"},
        "It is old.",
        session_id="s",
        key="a-key",
    )
    await fresh.edit(stored[0]["id"], content="My xylophone sounds.", place="xylophone")
    assert {"memories", "episodes", "postings", "memory_events"} <= set(
        await places_of(fresh.engine, "xylophon")
    )

    await fresh.erase(stored[0]["id"])

    # Of the first answer only ids are kept, and the caller's own name for the item.
    assert await places_of(fresh.engine, "xylophon") == ["idempotency_keys"]
    assert await fresh.found("xylophone") == ["It is old."]
    assert await fresh.by_words("xylophone") == []
    for table in ("memories", "episodes", "memory_keys", "embeddings_1", "embedding_bits_1"):
        assert await fresh.count(table) == 1, table
    answer = await fresh.client.get(f"/v1/memories/{stored[0]['id']}")
    assert code_of(answer) == "memory-not-found"
    await invariants.check(fresh)


async def test_the_next_turn_no_longer_carries_its_words(store: Store) -> None:
    stored = await store.remember("The hamster?", "She sleeps.", "Good.", session_id="s")

    await store.erase(stored[0]["id"])

    assert await store.by_words("hamster") == []
    assert set(await store.by_words("sleep")) == {"She sleeps.", "Good."}
    await invariants.check(store)


async def test_an_archived_next_turn_does_not_bring_its_words_back(store: Store) -> None:
    stored = await store.remember("The hamster?", "She sleeps.", session_id="s")
    await store.archive(stored[1]["id"])
    await store.erase(stored[0]["id"])

    await store.restore(stored[1]["id"])

    assert await store.by_words("hamster") == []
    assert await store.by_words("sleep") == ["She sleeps."]
    await invariants.check(store)


async def test_the_turn_after_the_last_one_erased_follows_the_one_before(store: Store) -> None:
    stored = await store.remember("The hamster?", "Erase this parrot.", session_id="s")
    await store.erase(stored[1]["id"])

    await store.remember("She sleeps.", session_id="s")

    assert "She sleeps." in await store.by_words("hamster")
    assert await store.by_words("parrot") == []
    listed = await store.get("/v1/sessions/s/messages", user_id="alice")
    assert [one["seq"] for one in listed["items"]] == [1, 3]


async def test_a_session_goes_with_its_last_message_and_forgets_the_times_of_others(
    store: Store,
) -> None:
    stored = await store.remember(
        *({"content": f"at {minute}", "occurred_at": at(minute)} for minute in (5, 1, 9)),
        session_id="s",
    )
    await store.erase(stored[1]["id"])
    (session,) = (await store.get("/v1/sessions", user_id="alice"))["items"]
    assert session["messages"] == 2
    assert session["first_at"].startswith("2026-01-31T09:05")
    assert session["last_at"].startswith("2026-01-31T09:09")

    await store.erase(stored[0]["id"])
    await store.erase(stored[2]["id"])

    assert (await store.get("/v1/sessions", user_id="alice"))["items"] == []


async def test_erasing_twice_is_a_404_and_an_archived_memory_can_be_erased(store: Store) -> None:
    stored = await store.remember("Words.")
    await store.archive(stored[0]["id"])
    await store.erase(stored[0]["id"])

    answer = await store.client.delete(f"/v1/memories/{stored[0]['id']}")

    assert (answer.status_code, code_of(answer)) == (404, "memory-not-found")
    assert await store.count("memory_events") == 0


async def test_an_erased_idempotent_write_is_not_done_again_by_a_replay(store: Store) -> None:
    stored = await store.remember("Words.", key="k")
    await store.erase(stored[0]["id"])

    assert await store.remember("Words.", key="k") == stored
    assert await store.count("memories") == 0


# Memories made of others, as mechanisms will make them.


async def _derive(store: Store, content: str, *sources: str, of: str = "memory") -> str:
    """Make a memory out of others (or of their episodes); return its id."""
    scope = await store.scope()
    async with store.database.transaction(
        tenant_id=scope.tenant_id, owner_id=scope.owner_id
    ) as session:
        await service.lock_owner(session, scope)
        (ordinal,) = await service.take_ordinals(session, scope, 1)
        made = NewMemory(
            ordinal=ordinal, id=new_id(), kind="fact", content=content, occurred_at=now()
        )
        prepared = [service.unembedded(service.spoken(content, None))]
        await service.add(session, scope, [made], prepared, table=None, now=now())
        for source in sources:
            await session.execute(_SOURCES[of], {**_own(scope.owner_id, ordinal), "id": source})
    return str(made.id)


def _own(owner_id: int, ordinal: int) -> dict[str, Any]:
    return {"owner_id": owner_id, "ordinal": ordinal}


_SOURCES = {
    "memory": sa.text("""
        INSERT INTO memory_sources (owner_id, memory_ordinal, source_ordinal)
        SELECT :owner_id, :ordinal, ordinal FROM memories
        WHERE owner_id = :owner_id AND id = CAST(:id AS uuid)
    """),
    "episode": sa.text("""
        INSERT INTO memory_sources (owner_id, memory_ordinal, episode_id)
        VALUES (:owner_id, :ordinal, CAST(:id AS uuid))
    """),
}


async def _left(store: Store) -> set[str]:
    listed = await store.get("/v1/memories", user_id="alice", state="all", limit=200)
    return {one["content"] for one in listed["items"]}


@pytest.mark.parametrize("of", ["memory", "episode"])
async def test_what_stands_on_it_alone_is_erased_with_it(store: Store, of: str) -> None:
    one, two = (str(UUID(stored["id"])) for stored in await store.remember("One.", "Two."))
    await _derive(store, "Of one.", one, of=of)
    await _derive(store, "Of this pair.", one, two, of=of)

    await store.erase(one)
    assert await _left(store) == {"Two.", "Of this pair."}
    assert await store.by_words("pair") == ["Of this pair."]
    await invariants.check(store)

    await store.erase(two)
    assert await _left(store) == set()
    await invariants.check(store)


async def test_erasing_a_derived_memory_leaves_its_sources(store: Store) -> None:
    one = (await store.remember("One."))[0]["id"]
    derived = await _derive(store, "Of one.", one)

    await store.erase(derived)

    assert await _left(store) == {"One."}
    await invariants.check(store)


async def test_a_chain_goes_whole_unless_something_else_holds_it(store: Store) -> None:
    one, two = (stored["id"] for stored in await store.remember("One.", "Two."))
    first = await _derive(store, "First.", one)
    second = await _derive(store, "Second.", first)
    await _derive(store, "Third.", second)
    held = await _derive(store, "Held by two.", second, two)
    await _derive(store, "On the held.", held)

    await store.erase(one)

    assert await _left(store) == {"Two.", "Held by two.", "On the held."}
    await invariants.check(store)


async def test_two_that_hold_each_other_up_hold_nothing(store: Store) -> None:
    one = (await store.remember("One.", "Two."))[0]["id"]
    left = await _derive(store, "Left.", one)
    right = await _derive(store, "Right.", left)
    scope = await store.scope()
    await store.rows(
        """
        INSERT INTO memory_sources (owner_id, memory_ordinal, source_ordinal)
        SELECT a.owner_id, a.ordinal, b.ordinal FROM memories a, memories b
        WHERE a.owner_id = :owner_id AND b.owner_id = :owner_id
            AND a.id = CAST(:left AS uuid) AND b.id = CAST(:right AS uuid)
        """,
        owner_id=scope.owner_id,
        left=left,
        right=right,
    )

    await store.erase(one)

    assert await _left(store) == {"Two."}


async def test_a_memory_made_of_an_episode_outlives_the_verbatim_one_only_with_support(
    store: Store,
) -> None:
    one, two = (stored["id"] for stored in await store.remember("One.", "Two."))
    await _derive(store, "Of the episode one and memory two.", one, of="episode")
    both = await _derive(store, "Of memory two.", two)
    await store.rows(
        """
        INSERT INTO memory_sources (owner_id, memory_ordinal, episode_id)
        SELECT owner_id, ordinal, CAST(:one AS uuid) FROM memories WHERE id = CAST(:both AS uuid)
        """,
        one=one,
        both=both,
    )

    await store.erase(one)

    assert await _left(store) == {"Two.", "Of memory two."}
