"""Reads that go to the database together."""

import pytest
import sqlalchemy as sa

from app.kit.database import Database, Read

pytestmark = pytest.mark.pg

_SETTING = sa.text("SELECT set_config('app.owner_id', :owner_id, true)")
_SEEN = sa.text("SELECT current_setting('app.owner_id', true) AS seen, CAST(:n AS integer) AS n")
_FAILING = sa.text("SELECT 1 / CAST(:zero AS integer)")
_DISCONNECTING = sa.text("SELECT pg_terminate_backend(pg_backend_pid())")


async def test_a_read_sees_what_one_before_it_set(database: Database) -> None:
    rows = await database.read_in_one_trip(
        [Read(_SETTING, {"owner_id": "7"}), Read(_SEEN, {"n": 3})]
    )

    assert rows == [[("7",)], [("7", 3)]]


async def test_what_a_read_set_is_gone_with_its_trip(database: Database) -> None:
    for _ in range(2 * database.pool_use()[1]):
        await database.read_in_one_trip([Read(_SETTING, {"owner_id": "7"})])

    async with database.transaction() as session:
        seen = (await session.execute(_SEEN, {"n": 0})).one().seen

    assert seen in ("", None)


@pytest.mark.parametrize("failing", [_FAILING, _DISCONNECTING])
async def test_a_trip_that_fails_gives_nothing_and_costs_no_connection(
    database: Database, failing: sa.TextClause
) -> None:
    for _ in range(2 * database.pool_use()[1]):
        reads = [Read(_SETTING, {"owner_id": "7"}), Read(failing, {"zero": 0})]
        assert await database.read_in_one_trip(reads) is None

    async with database.transaction() as session:
        assert (await session.execute(_SEEN, {"n": 1})).one().n == 1
    assert database.pool_use()[0] == 0
