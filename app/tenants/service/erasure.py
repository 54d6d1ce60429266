"""Deleting for ever, with a receipt."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import Database, enter_owner, enter_tenant
from app.tenants.errors import OwnTenantError, TenantNotFoundError
from app.tenants.repository import erasure as repository
from app.tenants.repository import keys, owners, tenants
from app.tenants.schemas import Principal, Scope

_OWNERS_AT_A_TIME = 20


async def erase_owner(session: AsyncSession, scope: Scope) -> dict[str, int]:
    """Delete everything an owner has, the owner itself too; return rows by table.

    Keys bound to the owner stay: they are the administrator's, and hold no memory.
    """
    await repository.lock_owner(session, scope)
    return await repository.erase_owner(session, scope)


async def erase_tenant(
    database: Database, principal: Principal, tenant_id: UUID, now: datetime
) -> tuple[dict[str, int], list[UUID]]:
    """Delete a tenant and everything in it; return rows by table, and the ids of its keys.

    First its keys end, then its owners go, some at a time, then the rest. Cut off in between,
    it can be repeated.

    Raises:
        TenantNotFoundError: there is none.
        OwnTenantError: it is the caller's own.
    """
    if tenant_id == principal.tenant_id:
        raise OwnTenantError
    async with database.transaction(tenant_id=tenant_id) as session:
        if await tenants.get(session, tenant_id) is None:
            raise TenantNotFoundError
        key_ids = list(await keys.revoke_all(session, tenant_id, now))
    counts: Counter[str] = Counter()
    while True:
        async with database.transaction(tenant_id=tenant_id) as session:
            erased = await _erase_some(session, tenant_id)
        if not erased:
            break
        counts.update(erased)
    async with database.transaction(tenant_id=tenant_id) as session:
        counts.update(await _erase_rest(session, tenant_id))
    return dict(counts), key_ids


async def _erase_some(session: AsyncSession, tenant_id: UUID) -> Counter[str]:
    """Erase some of a tenant's owners; nothing is counted once there are none."""
    counts: Counter[str] = Counter()
    for owner_id in await owners.ids(session, tenant_id, limit=_OWNERS_AT_A_TIME):
        await enter_owner(session, owner_id)
        counts.update(await erase_owner(session, Scope(tenant_id, owner_id)))
    return counts


async def _erase_rest(session: AsyncSession, tenant_id: UUID) -> Counter[str]:
    """Erase what is the tenant's own, and owners that a late request made meanwhile."""
    await enter_tenant(session, tenant_id)
    counts: Counter[str] = Counter()
    if await tenants.get(session, tenant_id, lock=True) is None:
        return counts
    while erased := await _erase_some(session, tenant_id):
        counts.update(erased)
    counts.update(await repository.erase_tenant(session, tenant_id))
    return counts
