"""docs/how-to/use-your-own-postgres.md works as it stands, for a role that is no superuser."""

from collections.abc import Generator

import psycopg
import pytest
import sqlalchemy as sa

from app.kit.database import Database
from app.kit.settings import DatabaseSettings
from app.launcher import migrations
from app.launcher.embedded import EmbeddedPostgres
from tests.policy.documents import blocks
from tests.policy.sources import ROOT
from tests.postgres import throwaway_postgres

PASSWORD = "documented"


def _statements() -> tuple[list[str], list[str]]:
    """Return the documented SQL: what runs in any database, and in the new one."""
    text = (ROOT / "docs" / "how-to" / "use-your-own-postgres.md").read_text()
    code = next(block.code for block in blocks(text) if block.language == "sql")
    before, after = code.replace("…", PASSWORD).split("\\connect memory\n")
    return _split(before), _split(after)


def _split(code: str) -> list[str]:
    return [statement for statement in code.split(";") if statement.strip()]


@pytest.fixture
def fresh_server() -> Generator[EmbeddedPostgres]:
    """A server that has never seen us: no database and no role of ours."""
    with throwaway_postgres() as server:
        yield server


def _run(url: str, statements: list[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.pg
async def test_a_database_made_as_documented_can_be_migrated_and_served(
    fresh_server: EmbeddedPostgres,
) -> None:
    before, after = _statements()
    _run(fresh_server.owner_url("postgres"), before)
    _run(fresh_server.owner_url("memory"), after)
    login = sa.make_url(fresh_server.owner_url("memory"))
    owner = login.set(username="memory_owner", password=PASSWORD)
    url = owner.render_as_string(hide_password=False)

    migrations.upgrade(url)
    database = Database(url, DatabaseSettings(pool_size=1))
    async with database.transaction() as session:
        role = await session.scalar(sa.text("SELECT current_user"))
        memories = await session.scalar(sa.text("SELECT count(*) FROM memories"))
    await database.close()

    assert (role, memories) == ("remembrancer_app", 0)
