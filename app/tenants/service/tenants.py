"""Tenants, as the operator sees them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import enter_tenant
from app.kit.ids import new_id
from app.tenants.errors import TenantNotFoundError
from app.tenants.models import ApiKey, Tenant
from app.tenants.repository import tenants as repository
from app.tenants.schemas import KeyCreate, TenantCreate
from app.tenants.service.keys import issue


async def create_tenant(
    session: AsyncSession, wanted: TenantCreate, now: datetime
) -> tuple[Tenant, ApiKey, str]:
    """Make a tenant and its first key; return both and the key's secret."""
    await repository.enter_operator(session)
    tenant = Tenant(
        tenant_id=new_id(),
        name=wanted.name,
        time_zone=wanted.time_zone,
        language=wanted.language,
        created_at=now,
    )
    session.add(tenant)
    await session.flush()
    await enter_tenant(session, tenant.tenant_id)
    key, secret = await issue(
        session, tenant.tenant_id, KeyCreate(name="admin", scopes=["admin"]), now
    )
    return tenant, key, secret


async def list_tenants(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> Sequence[Tenant]:
    """Return all tenants, oldest first."""
    await repository.enter_operator(session)
    return await repository.page_across_tenants(session, after=after, limit=limit)


async def read_tenant(session: AsyncSession, tenant_id: UUID) -> Tenant:
    """Return a tenant.

    Raises:
        TenantNotFoundError: there is none.
    """
    await repository.enter_operator(session)
    tenant = await repository.get(session, tenant_id)
    if tenant is None:
        raise TenantNotFoundError
    return tenant
