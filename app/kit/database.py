"""Connections and transactions. The one place that commits.

Row-level security reads two settings, made inside each transaction and gone with it:
``app.tenant_id`` (what tenant tables show) and ``app.owner_id`` (what an owner's tables show).
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import psycopg
import sqlalchemy as sa
from pgvector.psycopg import register_vector_async
from psycopg import AsyncConnection
from pydantic_core import from_json
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from app.kit import halfvecs
from app.kit.errors import DatabaseUnavailableError
from app.kit.settings import DatabaseSettings

APPLICATION_ROLE = "remembrancer_app"
"""Role the service acts as, made by the first migration. It owns no table, so policies hold."""

_PLANNING = (
    # Our statements have one good plan each; to plan a recall anew takes longer than to run it.
    ("plan_cache_mode", "force_generic_plan"),
    # A recall looks every vector up once: to remember them all would only copy them.
    ("enable_memoize", "off"),
)

_ENTER_TENANT = sa.text("SELECT set_config('app.tenant_id', :tenant_id, true)")
_ENTER_OWNER = sa.text("SELECT set_config('app.owner_id', :owner_id, true)")
_ENTER_BOTH = sa.text("""
    SELECT set_config('app.tenant_id', :tenant_id, true),
        set_config('app.owner_id', :owner_id, true)
""")


@dataclass(frozen=True, slots=True)
class Read:
    """A statement of constant text that changes nothing, and its values."""

    statement: sa.TextClause | sa.TextualSelect
    values: Mapping[str, Any]


def sqlalchemy_url(url: str) -> sa.URL:
    """Return ``url`` with the psycopg 3 driver, whatever driver it names."""
    return sa.make_url(url).set(drivername="postgresql+psycopg")


class Database:
    """A pool of connections that act as the application role."""

    def __init__(self, url: str, settings: DatabaseSettings, *, name: str = "api") -> None:
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=settings.pool_size,
            max_overflow=0,
            json_deserializer=from_json,
            pool_timeout=settings.pool_timeout_s,
            connect_args={
                "application_name": f"remembrancer-{name}",
                "connect_timeout": 10,
            },
        )
        self._settings = settings
        self._texts: dict[sa.TextClause | sa.TextualSelect, bytes] = {}
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        sa.event.listen(self.engine.sync_engine, "connect", self._prepare)

    def _prepare(self, connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        """Act as the application role; teach the connection pgvector's types."""
        connection.run_async(self._prepare_async)

    async def _prepare_async(self, connection: AsyncConnection[Any]) -> None:
        # SET has no placeholders; set_config has, and its third argument keeps it for the session.
        await connection.execute(
            "SELECT set_config('role', %s, false) WHERE current_user <> %s",
            (APPLICATION_ROLE, APPLICATION_ROLE),
        )
        await connection.execute(
            "SELECT set_config('statement_timeout', %s, false)",
            (f"{round(self._settings.statement_timeout_s * 1000)}ms",),
        )
        for name, value in _PLANNING:
            await connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        await register_vector_async(connection)
        halfvecs.register(connection)
        await connection.commit()

    @asynccontextmanager
    async def transaction(
        self, *, tenant_id: UUID | None = None, owner_id: int | None = None
    ) -> AsyncGenerator[AsyncSession]:
        """Open a transaction that sees one tenant (and owner); commit at the end.

        Raises:
            DatabaseUnavailableError: no connection, or it broke; nothing was stored, unless it
                broke while we waited for the end of the commit: then nobody can say.
        """
        is_committing = False
        try:
            async with self._sessions.begin() as session:
                await _enter(session, tenant_id, owner_id)
                yield session
                is_committing = True
        except PoolTimeoutError as error:
            raise _unavailable(is_committing=is_committing) from error
        except DBAPIError as error:
            if error.connection_invalidated or _passes(error):
                raise _unavailable(is_committing=is_committing) from error
            raise

    async def read_in_one_trip(self, reads: Sequence[Read]) -> list[list[tuple[Any, ...]]] | None:
        """Run reads in one transaction that costs one round trip; return each one's rows.

        The order is kept, so a read may rely on settings that one before it makes. ``None`` where
        the database did not take them all: ask again by ``transaction``, which tells why.
        """
        try:
            async with self.engine.connect() as connection:
                raw = await connection.get_raw_connection()
                driver = cast(AsyncConnection[Any], raw.driver_connection)
                rows = None
                try:
                    rows = await _piped(driver, [(self._text(one), one.values) for one in reads])
                finally:
                    if rows is None:  # in what state it is left, nobody knows
                        await connection.invalidate()
                return rows
        except (psycopg.Error, DBAPIError, PoolTimeoutError):
            return None

    def _text(self, read: Read) -> bytes:
        """Return a statement as the driver takes it; each is compiled once."""
        text = self._texts.get(read.statement)
        if text is None:
            text = str(read.statement.compile(dialect=self.engine.dialect)).encode()
            self._texts[read.statement] = text
        return text

    def pool_use(self) -> tuple[int, int]:
        """Return how many connections are checked out, and how many there may be."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return 0, 0
        return pool.checkedout(), pool.size()

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


async def _piped(
    driver: AsyncConnection[Any], reads: Sequence[tuple[bytes, Mapping[str, Any]]]
) -> list[list[tuple[Any, ...]]]:
    async with driver.pipeline():
        # In bytes: as text, what is read beside the hits would take twice the room.
        cursors = [driver.cursor(binary=True) for _ in reads]
        for cursor, (text, values) in zip(cursors, reads, strict=True):
            await cursor.execute(text, values)
        await driver.execute("COMMIT")
    return [await cursor.fetchall() for cursor in cursors]


def _passes(error: DBAPIError) -> bool:
    """Tell whether a repeat may succeed: the server was away, busy, stopping, or gave way."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] in {"08", "40", "53", "55", "57"}


def _unavailable(*, is_committing: bool) -> Exception:
    if is_committing:
        msg = (
            "The database broke off at the end: this may be stored or not. Try again; "
            "a client_id or an Idempotency-Key keeps it from being stored twice."
        )
    else:
        msg = "The database did not answer; nothing was stored. Try again."
    return DatabaseUnavailableError(msg).retry_after(1)


async def _enter(session: AsyncSession, tenant_id: UUID | None, owner_id: int | None) -> None:
    """Let a new transaction see what it was opened for, in one statement where it can be."""
    if tenant_id is not None and owner_id is not None:
        both = {"tenant_id": str(tenant_id), "owner_id": str(owner_id)}
        await session.execute(_ENTER_BOTH, both)
    elif tenant_id is not None:
        await enter_tenant(session, tenant_id)
    elif owner_id is not None:
        await enter_owner(session, owner_id)


async def enter_tenant(session: AsyncSession, tenant_id: UUID) -> None:
    """Let the rest of this transaction see the tenant's rows."""
    await session.execute(_ENTER_TENANT, {"tenant_id": str(tenant_id)})


async def enter_owner(session: AsyncSession, owner_id: int) -> None:
    """Let the rest of this transaction see one owner's memories."""
    await session.execute(_ENTER_OWNER, {"owner_id": str(owner_id)})
