"""Nothing of an erased owner stays, in whatever table a room may have put it."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.kit.database import Database
from app.kit.orm import Base
from app.tenants import service
from app.tenants.schemas import OwnerName
from app.tenants.service.keys import DEFAULT_TENANT
from tests.api import OPERATOR, code_of, new_key, new_tenant, with_key
from tests.tables import places_of

pytestmark = pytest.mark.pg

NOW = datetime(2026, 1, 31, tzinfo=UTC)
SECRET = "xylophone"
_AN_ID = UUID(int=7)
_OWN = {"tenants", "owners", "owner_stats"}
_LEFT_EMPTY = {("memory_sources", "source_ordinal")}  # a source is an episode or a memory


_CHOSEN = {
    ("jobs", "status"): "queued",
    ("thoughts", "status"): "active",
    ("conflicts", "detector"): "denial",
    ("conflicts", "resolution"): "newer",
    ("note_evolutions", "action"): "strengthen",
    ("segments", "reason"): "start",
    ("segments", "means"): [[1.0, 0.0, 0.0]],
    ("note_links", "target_ordinal"): 0,  # a link goes to an earlier note
}
"""What columns take that take a few values only."""


def _value(column: sa.Column[Any]) -> object:
    """Return something for a column, with the secret in it where it takes a text."""
    kind = column.type
    chosen = _CHOSEN.get((column.table.name, column.name))
    if chosen is not None:
        return chosen
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, sa.Integer | sa.Float):
        return [1]
    values: list[tuple[type[Any], object]] = [
        (JSONB, {"text": SECRET}),
        (HALFVEC, [1.0, 0.0, 0.0]),
        (ARRAY, [SECRET]),
        (BYTEA, SECRET.encode()),
        (sa.LargeBinary, SECRET.encode()),
        (sa.Text, SECRET),
        (sa.Uuid, _AN_ID),
        (sa.DateTime, NOW),
        (sa.Date, NOW.date()),
        (sa.Boolean, False),
        (sa.Float, 1.0),
        (sa.Integer, 1),
    ]
    return next(value for wanted, value in values if isinstance(kind, wanted))


async def _fill(connection: AsyncConnection, tenant_id: UUID, owner_id: int) -> None:
    """Put a row of the owner into every table that takes one."""
    known = {"tenant_id": tenant_id, "owner_id": owner_id}
    await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
    for table in Base.metadata.sorted_tables:
        if "owner_id" in table.c and table.name not in _OWN:
            row = {
                column.name: known.get(column.name, _value(column))
                for column in table.c
                if column.identity is None and (table.name, column.name) not in _LEFT_EMPTY
            }
            await connection.execute(table.insert().values(row))
    added = sa.text("SELECT add_derived_vectors(add_embedding_model('test', 3))")
    model = await connection.scalar(added)
    for table_name, column, value in (
        (f"embeddings_{model}", "vector", "[1,0,0]"),
        (f"embedding_bits_{model}", "bits", "101"),
        (f"token_bits_{model}", "bits", "\\x01"),
    ):
        columns = f"{table_name} (owner_id, key_ordinal, {column})"
        await connection.exec_driver_sql(f"INSERT INTO {columns} VALUES ({owner_id}, 1, '{value}')")
    columns = f"derived_vectors_{model} (owner_id, space, ordinal, vector, bits)"
    values = f"({owner_id}, 'note', 1, '[1,0,0]', '101')"
    await connection.exec_driver_sql(f"INSERT INTO {columns} VALUES {values}")


async def _tables(connection: AsyncConnection, column: str) -> set[str]:
    """Return the tables that have a column, as the database itself knows them."""
    query = sa.text("""
        SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = :column
    """)
    return set((await connection.scalars(query, {"column": column})).all())


async def _owner(database: Database, tenant_id: UUID, name: str) -> int:
    async with database.transaction(tenant_id=tenant_id) as session:
        owner = OwnerName("user", name)
        return (await service.get_or_create_owner(session, tenant_id, owner, NOW)).owner_id


async def test_erasing_a_user_empties_every_table_and_says_how_many_rows_went(
    client: httpx.AsyncClient, database: Database, owner_engine: AsyncEngine
) -> None:
    owner_id = await _owner(database, DEFAULT_TENANT, "alice")
    async with owner_engine.begin() as connection:
        await _fill(connection, DEFAULT_TENANT, owner_id)
        tables = await _tables(connection, "owner_id")
    assert len(await places_of(owner_engine, SECRET)) >= 8

    response = await client.delete("/v1/users/alice", headers=OPERATOR)

    receipt = response.json()
    assert response.status_code == 200
    assert receipt["user_id"] == "alice"
    assert "agent_id" not in receipt
    assert set(receipt["erased"]) == tables
    assert {name: rows for name, rows in receipt["erased"].items() if rows != 1} == {}
    assert await places_of(owner_engine, SECRET) == []
    assert await places_of(owner_engine, "alice") == []
    again = await client.delete("/v1/users/alice", headers=OPERATOR)
    assert code_of(again) == "owner-not-found"


async def test_erasing_one_owner_touches_no_other(
    client: httpx.AsyncClient, database: Database, owner_engine: AsyncEngine
) -> None:
    bob = await _owner(database, DEFAULT_TENANT, "bob")
    await _owner(database, DEFAULT_TENANT, "alice")
    async with owner_engine.begin() as connection:
        await _fill(connection, DEFAULT_TENANT, bob)
    before = await places_of(owner_engine, SECRET)

    await client.delete("/v1/users/alice", headers=OPERATOR)

    assert await places_of(owner_engine, SECRET) == before
    agent = await client.delete("/v1/agents/bob", headers=OPERATOR)
    assert code_of(agent) == "owner-not-found"


async def test_erasing_waits_for_a_write_under_way(
    client: httpx.AsyncClient, database: Database
) -> None:
    owner_id = await _owner(database, DEFAULT_TENANT, "alice")

    async with database.transaction(tenant_id=DEFAULT_TENANT, owner_id=owner_id) as session:
        await session.execute(sa.text("SELECT FROM owner_stats FOR UPDATE"))
        erasing = asyncio.create_task(client.delete("/v1/users/alice", headers=OPERATOR))
        done, _ = await asyncio.wait({erasing}, timeout=0.3)
        assert not done

    assert (await erasing).status_code == 200


async def test_erasing_a_tenant_leaves_nothing_of_it(
    client: httpx.AsyncClient, database: Database, owner_engine: AsyncEngine
) -> None:
    tenant_id, key = await new_tenant(client, name="marmalade")
    await new_key(client)
    for number in range(45):
        await _owner(database, UUID(tenant_id), f"owner {number}")
    owner_id = await _owner(database, UUID(tenant_id), "owner 7")
    async with owner_engine.begin() as connection:
        await _fill(connection, UUID(tenant_id), owner_id)
        await connection.execute(sa.text("UPDATE idempotency_keys SET owner_id = NULL"))
        tables = await _tables(connection, "owner_id") | await _tables(connection, "tenant_id")
    assert (await client.get("/v1/users", headers=with_key(key))).status_code == 200

    response = await client.delete(f"/v1/tenants/{tenant_id}", headers=OPERATOR)

    receipt = response.json()
    assert response.status_code == 200
    assert set(receipt["erased"]) == tables
    assert receipt["erased"]["owners"] == 46 - 1
    assert receipt["erased"]["idempotency_keys"] == 1
    assert receipt["erased"]["tenants"] == 1
    for text in (SECRET, "marmalade", tenant_id):
        assert await places_of(owner_engine, text) == []
    assert code_of(await client.get("/v1/users", headers=with_key(key))) == "invalid-api-key"
    again = await client.delete(f"/v1/tenants/{tenant_id}", headers=OPERATOR)
    assert code_of(again) == "tenant-not-found"


async def test_a_key_cannot_delete_its_own_tenant(client: httpx.AsyncClient) -> None:
    response = await client.delete(f"/v1/tenants/{DEFAULT_TENANT}", headers=OPERATOR)

    assert (response.status_code, code_of(response)) == (409, "own-tenant")
