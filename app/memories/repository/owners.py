"""An owner's counters and its lock; which owners of a tenant housekeeping visits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import Memory, OwnerStats
from app.tenants.schemas import Scope

# Writers of one owner wait for this row: ordinals then grow in the order of the commits.
_LOCK = sa.text("SELECT keys, last_ordinal FROM owner_stats WHERE owner_id = :owner_id FOR UPDATE")

_TAKE_ORDINALS = sa.text("""
    UPDATE owner_stats SET last_ordinal = last_ordinal + :count WHERE owner_id = :owner_id
    RETURNING last_ordinal
""")

_TAKE_EXTRA_KEYS = sa.text("""
    UPDATE owner_stats SET last_extra_key = last_extra_key + :count WHERE owner_id = :owner_id
    RETURNING last_extra_key
""")


async def lock(session: AsyncSession, scope: Scope) -> bool:
    """Make this the owner's only writer until the transaction ends; false if it was erased."""
    row = (await session.execute(_LOCK, {"owner_id": scope.owner_id})).first()
    return row is not None


async def take_ordinals(session: AsyncSession, scope: Scope, count: int) -> range:
    """Return ``count`` fresh ordinals of the owner, ascending."""
    last = await _take(session, _TAKE_ORDINALS, scope, count)
    return range(last - count + 1, last + 1)


async def take_extra_keys(session: AsyncSession, scope: Scope, count: int) -> range:
    """Return ``count`` fresh ordinals for further keys: negative, descending."""
    last = await _take(session, _TAKE_EXTRA_KEYS, scope, count)
    return range(-(last - count) - 1, -last - 1, -1)


async def _take(session: AsyncSession, statement: sa.TextClause, scope: Scope, count: int) -> int:
    values = {"owner_id": scope.owner_id, "count": count}
    return int((await session.execute(statement, values)).scalar_one())


async def key_count(session: AsyncSession, scope: Scope) -> int | None:
    """Return how many keys an owner has; ``None`` if it was erased."""
    statement = sa.select(OwnerStats.keys).where(OwnerStats.owner_id == scope.owner_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def has_pending(session: AsyncSession, scope: Scope) -> bool:
    """Tell whether a key of the owner may lack its vector."""
    statement = sa.select(OwnerStats.is_pending).where(OwnerStats.owner_id == scope.owner_id)
    return bool((await session.execute(statement)).scalar_one_or_none())


async def set_pending(session: AsyncSession, scope: Scope, *, is_pending: bool) -> None:
    """Note whether a key of the owner may lack its vector; needs the owner's lock."""
    statement = sa.update(OwnerStats).where(OwnerStats.owner_id == scope.owner_id)
    await session.execute(statement.values(is_pending=is_pending))


async def with_memories(session: AsyncSession, tenant_id: UUID) -> Sequence[int]:
    """Return the owners of a tenant who have memories."""
    statement = sa.select(Memory.owner_id).where(Memory.tenant_id == tenant_id).distinct()
    return (await session.scalars(statement)).all()


async def page_of(
    session: AsyncSession, tenant_id: UUID, *, after: int, limit: int
) -> Sequence[int]:
    """Return the next owners of a tenant who have memories, ascending."""
    statement = (
        sa.select(Memory.owner_id)
        .where(Memory.tenant_id == tenant_id, Memory.owner_id > after)
        .distinct()
        .order_by(Memory.owner_id)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def with_expired(session: AsyncSession, tenant_id: UUID, *, now: datetime) -> Sequence[int]:
    """Return the owners of a tenant who have live memories past their ``expires_at``."""
    statement = sa.select(Memory.owner_id).where(
        Memory.tenant_id == tenant_id, Memory.expires_at <= now, Memory.archived_at.is_(None)
    )
    return (await session.scalars(statement.distinct())).all()
