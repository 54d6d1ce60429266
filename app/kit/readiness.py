"""Checks behind /healthz/ready."""

import asyncio
import time
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection

from app.kit.database import Database
from app.kit.errors import DatabaseUnavailableError
from app.kit.orm import Base
from app.kit.probes import Check, PartState

PATIENCE_S = 1.0
_PING = sa.text("SELECT 1")
# Shows only what the application role may use, so that missing grants count as well.
_COLUMNS = sa.text("""
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema()
""")
_AWAY = (TimeoutError, DatabaseUnavailableError, SQLAlchemyError)


async def database_answers(connection: HTTPConnection) -> PartState:
    """Say whether the database answers within a second."""
    try:
        async with asyncio.timeout(PATIENCE_S), _database(connection).transaction() as session:
            await session.execute(_PING)
    except _AWAY:
        return "away"
    return "ok"


def _database(connection: HTTPConnection) -> Database:
    return cast(Database, connection.app.state.database)


def schema_is_there() -> Check:
    """Return a check that the database has every table and column that this code uses."""
    seen = False

    async def check(connection: HTTPConnection) -> PartState:
        nonlocal seen
        if not seen:  # a schema never goes back while a release serves
            try:
                seen = await _has_all_columns(_database(connection))
            except _AWAY:
                return "away"
        return "ok" if seen else "behind"

    return check


async def _has_all_columns(database: Database) -> bool:
    async with asyncio.timeout(PATIENCE_S), database.transaction() as session:
        found = {(row.table_name, row.column_name) for row in await session.execute(_COLUMNS)}
    tables = Base.metadata.tables.values()
    return all((table.name, column.name) in found for table in tables for column in table.c)


def remembered(check: Check, *, for_s: float) -> Check:
    """Return the check, made at most every ``for_s`` seconds however often probes ask."""
    state: PartState = "away"
    until_s = float("-inf")

    async def cached(connection: HTTPConnection) -> PartState:
        nonlocal state, until_s
        if time.monotonic() >= until_s:
            state = await check(connection)
            until_s = time.monotonic() + for_s
        return state

    return cached
