"""Time zone and language: an owner's own, else its tenant's."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import service as jobs
from app.tenants import policies
from app.tenants.errors import TenantNotFoundError
from app.tenants.models import Tenant
from app.tenants.repository import owners, tenants
from app.tenants.schemas import (
    LocalSettings,
    OwnerName,
    OwnerSettings,
    OwnerSettingsUpdate,
    Scope,
    TenantSettings,
)
from app.tenants.service.owners import enter_known, get_or_create_owner


async def effective_settings(session: AsyncSession, scope: Scope) -> LocalSettings:
    """Return what holds for an owner: its own settings, else its tenant's."""
    return scope.local or await owners.local_settings(session, scope)


async def owner_settings(session: AsyncSession, tenant_id: UUID, owner: OwnerName) -> OwnerSettings:
    """Return an owner's own settings and what holds for it.

    Raises:
        OwnerNotFoundError: the tenant has no such owner.
    """
    return await _read(session, await enter_known(session, tenant_id, owner))


async def change_owner_settings(
    session: AsyncSession,
    tenant_id: UUID,
    owner: OwnerName,
    wanted: OwnerSettingsUpdate,
    now: datetime,
) -> OwnerSettings:
    """Replace an owner's own settings; makes the owner at its first mention."""
    scope = await get_or_create_owner(session, tenant_id, owner, now)
    before = await owners.local_settings(session, scope)
    row = await owners.get(session, scope)
    row.time_zone, row.language = wanted.time_zone, wanted.language
    row.policies = policies.stored(wanted.forgetting, wanted.mechanisms, wanted.conflicts)
    await session.flush()
    held = await owners.local_settings(session, scope)
    if (held.time_zone, held.language) != (before.time_zone, before.language):
        await _reindex(session, tenant_id, scope.owner_id, now)
    if held.policies.mechanisms.switches_on(before.policies.mechanisms):
        await _catch_up(session, tenant_id, scope.owner_id, now)
    return await _read(session, scope)


async def _catch_up(
    session: AsyncSession, tenant_id: UUID, owner_id: int | None, now: datetime
) -> None:
    """Let mechanisms that were switched on take up what was said before."""
    await _queue(session, tenant_id, owner_id, now, kind="catch-up", task="memories.catch_up")


async def _reindex(
    session: AsyncSession, tenant_id: UUID, owner_id: int | None, now: datetime
) -> None:
    """Queue the renewal of keyword keys: stems and dates are read in another way."""
    await _queue(session, tenant_id, owner_id, now, kind="reindex", task="memories.reindex")


async def _queue(
    session: AsyncSession,
    tenant_id: UUID,
    owner_id: int | None,
    now: datetime,
    *,
    kind: str,
    task: str,
) -> None:
    """Queue a task for an owner; ``None`` stands for all owners of the tenant."""
    await jobs.enqueue(
        session, tenant_id=tenant_id, owner_id=owner_id, kind=kind, tasks=(task,), now=now
    )


async def _read(session: AsyncSession, scope: Scope) -> OwnerSettings:
    row = await owners.get(session, scope)
    held = await owners.local_settings(session, scope)
    own = policies.read(row.policies)
    return OwnerSettings(
        time_zone=row.time_zone,
        language=row.language,
        forgetting=own.forgetting if "forgetting" in row.policies else None,
        mechanisms=own.mechanisms if "mechanisms" in row.policies else None,
        conflicts=own.conflicts if "conflicts" in row.policies else None,
        effective=TenantSettings(
            time_zone=held.time_zone,
            language=held.language,
            forgetting=held.policies.forgetting,
            mechanisms=held.policies.mechanisms,
            conflicts=held.policies.conflicts,
        ),
    )


async def tenant_settings(session: AsyncSession, tenant_id: UUID) -> TenantSettings:
    """Return what holds for owners that set nothing else.

    Raises:
        TenantNotFoundError: it was deleted a moment ago.
    """
    return _shown(await _tenant(session, tenant_id))


async def _tenant(session: AsyncSession, tenant_id: UUID) -> Tenant:
    tenant = await tenants.get(session, tenant_id)
    if tenant is None:
        raise TenantNotFoundError
    return tenant


def _shown(tenant: Tenant) -> TenantSettings:
    held = policies.read(tenant.policies)
    return TenantSettings(
        time_zone=tenant.time_zone,
        language=tenant.language,
        forgetting=held.forgetting,
        mechanisms=held.mechanisms,
        conflicts=held.conflicts,
    )


async def change_tenant_settings(
    session: AsyncSession, tenant_id: UUID, wanted: TenantSettings, now: datetime
) -> TenantSettings:
    """Replace the tenant's settings; owners without settings of their own follow."""
    tenant = await _tenant(session, tenant_id)
    before = _shown(tenant)
    tenant.time_zone, tenant.language = wanted.time_zone, wanted.language
    tenant.policies = policies.stored(wanted.forgetting, wanted.mechanisms, wanted.conflicts)
    await session.flush()
    if (before.time_zone, before.language) != (wanted.time_zone, wanted.language):
        await _reindex(session, tenant_id, None, now)
    if wanted.mechanisms.switches_on(before.mechanisms):
        await _catch_up(session, tenant_id, None, now)
    return _shown(tenant)
