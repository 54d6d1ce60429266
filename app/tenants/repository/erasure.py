"""SQL that deletes for ever: every table that holds rows of an owner, found, not listed.

A table that a room adds later is deleted from too, because it has the column.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.orm import Base
from app.tenants.schemas import Scope

_LOCK = sa.text("SELECT FROM owner_stats WHERE owner_id = :owner_id FOR UPDATE")
_LAST = ("owners", "tenants")
_MODEL_TABLES = sa.text("""
    SELECT kind || model_id AS name
    FROM embedding_models
    CROSS JOIN unnest(CAST(:kinds AS text[])) WITH ORDINALITY AS k (kind, place)
    WHERE to_regclass(kind || model_id) IS NOT NULL
    ORDER BY model_id, place
""")
_KINDS = (
    "derived_vectors_",
    "token_bits_",
    "embedding_hnsw_",
    "embedding_bits_",
    "embeddings_",
)
"""Tables made per embedding model, those that point to others first."""


async def lock_owner(session: AsyncSession, scope: Scope) -> None:
    """Wait for the owner's writers, and hold off further ones until the transaction ends."""
    await session.execute(_LOCK, {"owner_id": scope.owner_id})


async def erase_owner(session: AsyncSession, scope: Scope) -> dict[str, int]:
    """Delete an owner's rows from every table, children first; return the counts."""
    counts: dict[str, int] = {}
    for table in [*await _model_tables(session), *_tables_with("owner_id")]:
        statement = sa.delete(table).where(table.c.owner_id == scope.owner_id)
        counts[table.name] = await _delete(session, statement)
    return counts


async def erase_tenant(session: AsyncSession, tenant_id: UUID) -> dict[str, int]:
    """Delete a tenant's rows from every table that names it; its owners are erased before."""
    counts: dict[str, int] = {}
    for table in _tables_with("tenant_id"):
        statement = sa.delete(table).where(table.c.tenant_id == tenant_id)
        counts[table.name] = await _delete(session, statement)
    return counts


def _tables_with(column: str) -> list[sa.Table]:
    """Return the tables that have the column, those that point to others first."""
    found = [table for table in reversed(Base.metadata.sorted_tables) if column in table.c]
    # Row-level security shows an owner's rows only while the owner's own row is there.
    return sorted(found, key=lambda table: _LAST.index(table.name) if table.name in _LAST else -1)


async def _model_tables(session: AsyncSession) -> list[sa.TableClause]:
    """Return the tables made per embedding model, as far as they are there."""
    names = (await session.scalars(_MODEL_TABLES, {"kinds": list(_KINDS)})).all()
    return [sa.table(name, sa.column("owner_id")) for name in names]


async def _delete(session: AsyncSession, statement: sa.Delete) -> int:
    result = await session.execute(statement)
    assert isinstance(result, sa.CursorResult)
    return result.rowcount
