"""SQL of API keys and of what they used up."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.tenants.models import ApiKey, KeyUsage

# The one look-up before the tenant is known; the function reads past row-level security.
_FIND = sa.select(ApiKey).from_statement(
    sa.text("SELECT * FROM find_api_key(:digest)").columns(*ApiKey.__table__.columns)
)


async def find_across_tenants(session: AsyncSession, digest: bytes) -> ApiKey | None:
    """Return the key with this hash, of whatever tenant, revoked or not."""
    return (await session.scalars(_FIND, {"digest": digest})).first()


def _live(tenant_id: UUID) -> sa.Select[ApiKey]:
    return sa.select(ApiKey).where(ApiKey.tenant_id == tenant_id, ApiKey.revoked_at.is_(None))


async def get(session: AsyncSession, tenant_id: UUID, key_id: UUID) -> ApiKey | None:
    """Return a key that is not revoked."""
    return await session.scalar(_live(tenant_id).where(ApiKey.key_id == key_id))


async def page(
    session: AsyncSession, tenant_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[ApiKey]:
    """Return a tenant's keys that are not revoked, oldest first."""
    statement = _live(tenant_id).order_by(ApiKey.key_id).limit(limit)
    if after is not None:
        statement = statement.where(ApiKey.key_id > after)
    return (await session.scalars(statement)).all()


async def revoke(session: AsyncSession, tenant_id: UUID, key_id: UUID, now: datetime) -> None:
    """End a key; its row stays, so that its name is still known."""
    await session.execute(
        sa.update(ApiKey)
        .where(ApiKey.tenant_id == tenant_id, ApiKey.key_id == key_id)
        .values(revoked_at=now)
    )


async def revoke_all(session: AsyncSession, tenant_id: UUID, now: datetime) -> Sequence[UUID]:
    """End all keys of a tenant; return their ids."""
    statement = (
        sa.update(ApiKey)
        .where(ApiKey.tenant_id == tenant_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.key_id)
    )
    return (await session.scalars(statement)).all()


async def put(session: AsyncSession, values: dict[str, object]) -> None:
    """Store a key under its id, in place of whatever stood there or had the same secret."""
    await session.execute(
        sa.delete(ApiKey).where(
            ApiKey.tenant_id == values["tenant_id"],
            ApiKey.hash == values["hash"],
            ApiKey.key_id != values["key_id"],
        )
    )
    statement = insert(ApiKey).values(**values, revoked_at=None)
    changed = {name: statement.excluded[name] for name in ("hash", "hint", "scopes", "revoked_at")}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "key_id"], set_=changed)
    )


async def count(
    session: AsyncSession, tenant_id: UUID, key_id: UUID, *, day: date, items: int, quota: int
) -> bool:
    """Add to what a key stored on a day unless that passes the quota; say whether it was added."""
    statement = insert(KeyUsage).values(tenant_id=tenant_id, key_id=key_id, day=day, items=items)
    total = KeyUsage.items + statement.excluded["items"]
    counted = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "key_id", "day"],
            set_={"items": total},
            where=total <= quota,
        ).returning(KeyUsage.items)
    )
    return counted is not None
