"""SQL of tenants. Reading or writing another's row needs ``enter_operator`` first."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.tenants.models import Tenant

_ENTER_OPERATOR = sa.text("SELECT set_config('app.operator', 'on', true)")
_BOOTSTRAP_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtext('remembrancer.bootstrap'))")


async def enter_operator(session: AsyncSession) -> None:
    """Let the rest of this transaction see all tenants' rows (of this one table)."""
    await session.execute(_ENTER_OPERATOR)


async def lock_bootstrap(session: AsyncSession) -> None:
    """Let replicas that start together bootstrap one after the other."""
    await session.execute(_BOOTSTRAP_LOCK)


async def get(session: AsyncSession, tenant_id: UUID, *, lock: bool = False) -> Tenant | None:
    """Return a tenant; with ``lock`` nobody can add an owner to it until the transaction ends."""
    return await session.get(Tenant, tenant_id, with_for_update=lock or None)


async def add_if_missing(session: AsyncSession, tenant_id: UUID, name: str, now: datetime) -> None:
    """Make a tenant with default settings unless it exists."""
    statement = insert(Tenant).values(tenant_id=tenant_id, name=name, created_at=now)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["tenant_id"]))


async def page_across_tenants(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> Sequence[Tenant]:
    """Return all tenants, oldest first."""
    statement = sa.select(Tenant).order_by(Tenant.tenant_id).limit(limit)
    if after is not None:
        statement = statement.where(Tenant.tenant_id > after)
    return (await session.scalars(statement)).all()
