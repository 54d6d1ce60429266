import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.kit.database import Database
from app.kit.errors import DatabaseUnavailableError

pytestmark = pytest.mark.pg

_PID = sa.text("SELECT pg_backend_pid()")
_END = sa.text("SELECT pg_terminate_backend(:pid, 5000)")


async def _cut_off(session: AsyncSession, owner: AsyncEngine) -> None:
    """End the server's process behind a session."""
    pid = await session.scalar(_PID)
    async with owner.connect() as connection:
        assert await connection.scalar(_END, {"pid": pid})


async def _interrupted(database: Database, owner: AsyncEngine, *, at_the_end: bool) -> None:
    async with database.transaction() as session:
        await _cut_off(session, owner)
        if not at_the_end:
            await session.execute(_PID)


async def test_a_connection_that_breaks_on_the_way_has_stored_nothing(
    database: Database, owner_engine: AsyncEngine
) -> None:
    with pytest.raises(DatabaseUnavailableError, match="nothing was stored"):
        await _interrupted(database, owner_engine, at_the_end=False)


async def test_a_commit_that_breaks_off_is_not_called_undone(
    database: Database, owner_engine: AsyncEngine
) -> None:
    with pytest.raises(DatabaseUnavailableError, match="may be stored or not"):
        await _interrupted(database, owner_engine, at_the_end=True)


async def test_the_pool_recovers_from_broken_connections(
    database: Database, owner_engine: AsyncEngine
) -> None:
    with pytest.raises(DatabaseUnavailableError):
        await _interrupted(database, owner_engine, at_the_end=True)

    async with database.transaction() as session:
        assert await session.scalar(sa.text("SELECT 1")) == 1
