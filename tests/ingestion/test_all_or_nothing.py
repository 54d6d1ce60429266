"""A request is stored whole or not at all."""

import asyncio

import pytest
from fastapi import FastAPI

from tests.api import code_of
from tests.memories.helpers import Json, Store, at, until

pytestmark = pytest.mark.pg

TABLES = ("memories", "episodes", "memory_keys", "postings", "memory_events", "sessions", "jobs")

# Fires when the transaction commits: the last moment at which a write can still fail.
_FAIL_AT_COMMIT = (
    """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.content LIKE '%poison%' THEN RAISE 'the commit fails'; END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON memories
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()
    """,
)


_TERMINATE_WAITING = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_one_bad_item_keeps_the_good_ones_out(store: Store) -> None:
    await store.remember("Already there.")

    answer = await store.write("Good.", {"content": "Bad.", "occurred_at": "noon"}, "Good too.")

    assert answer.status_code == 422
    assert code_of(answer) == "invalid-request"
    assert answer.json()["errors"][0]["path"] == "body.items[1].occurred_at"
    assert await store.count("memories") == 1


async def test_when_the_commit_fails_nothing_is_kept_and_the_key_stays_free(fresh: Store) -> None:
    for statement in _FAIL_AT_COMMIT:
        await fresh.rows(statement)
    await fresh.remember("Already there.", session_id="s")
    before = [await fresh.count(table) for table in TABLES]
    said: list[str | Json] = [
        "Good.",
        {"content": "A poison.", "client_id": "c", "occurred_at": at(0)},
    ]

    answer = await fresh.write(*said, key="k1", session_id="s")

    assert answer.status_code == 500
    assert code_of(answer) == "internal-error"
    assert "poison" not in answer.text
    assert [await fresh.count(table) for table in TABLES] == before
    assert await fresh.by_words("good") == []
    await fresh.rows("DROP TRIGGER refuse ON memories")
    again = await fresh.write(*said, key="k1", session_id="s")
    assert again.status_code == 201
    assert "idempotent-replayed" not in again.headers
    assert {one["status"] for one in again.json()["items"]} == {"created"}


async def test_when_the_connection_breaks_nothing_is_kept_and_a_repeat_works(fresh: Store) -> None:
    await fresh.remember("Already there.")
    scope = await fresh.scope()

    # Hold the owner's lock, so that the write waits within its transaction; then break it off.
    async with fresh.engine.begin() as holder:
        await holder.exec_driver_sql(
            f"SELECT FROM owner_stats WHERE owner_id = {scope.owner_id} FOR UPDATE"
        )
        writing = asyncio.create_task(fresh.write("Broken off.", key="k1"))

        async def is_broken_off() -> bool:
            return bool(await fresh.rows(_TERMINATE_WAITING))

        await until(is_broken_off)
        answer = await writing

    assert answer.status_code == 503
    assert code_of(answer) == "database-unavailable"
    assert answer.headers["retry-after"] == "1"
    again = await fresh.write("Broken off.", key="k1")
    assert again.status_code == 201
    assert await fresh.count("memories") == 2


def _pool_size(app: FastAPI) -> int:
    size: int = app.state.database.pool_use()[0]
    return size


async def test_a_client_that_goes_away_leaves_no_half_write_and_no_connection(
    fresh: Store,
) -> None:
    await fresh.remember("Already there.")
    scope = await fresh.scope()

    async with fresh.engine.begin() as holder:
        await holder.exec_driver_sql(
            f"SELECT FROM owner_stats WHERE owner_id = {scope.owner_id} FOR UPDATE"
        )
        writing = asyncio.create_task(fresh.write("Given up."))

        async def is_under_way() -> bool:
            return _pool_size(fresh.app) > 0

        await until(is_under_way)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    assert _pool_size(fresh.app) == 0
    assert await fresh.by_words("given") == []
    assert len(await fresh.remember("Works again.")) == 1


async def test_a_user_erased_while_being_written_to_ends_in_no_half_state(fresh: Store) -> None:
    async def erase() -> int:
        await asyncio.sleep(0.02)
        return (await fresh.client.delete("/v1/users/alice")).status_code

    async def write(number: int) -> int:
        return (await fresh.write(f"Words {number}.", key=f"k{number}")).status_code

    for _ in range(3):
        statuses = await asyncio.gather(*(write(n) for n in range(4)), erase(), write(5), erase())
        # A write may find its owner gone in between, and then says so.
        assert set(statuses) <= {200, 201, 404, 503}

    await fresh.remember("Works again.")
    listed = await fresh.get("/v1/memories", user_id="alice", limit=200)
    assert len(listed["items"]) == await fresh.count("memory_keys") == await fresh.count("episodes")
