"""Tenants; for the operator."""

from uuid import UUID

from fastapi import APIRouter, status

from app.kit import clock
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, PageCursor, PageLimit, decode_cursor, trim
from app.tenants import service
from app.tenants.dependencies import DatabaseDep, KeyRingDep, OperatorDep, SessionDep
from app.tenants.errors import OwnTenantError, TenantNotFoundError
from app.tenants.models import Tenant
from app.tenants.router.keys import key_fields
from app.tenants.schemas import (
    KeyCreated,
    TenantCreate,
    TenantCreated,
    TenantRead,
    TenantReceipt,
)

router = APIRouter(prefix="/v1/tenants", tags=["administration"])


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_tenant(_: OperatorDep, session: SessionDep, body: TenantCreate) -> TenantCreated:
    """Make a tenant. The answer shows its first key, which has the scope `admin`, once."""
    tenant, key, secret = await service.create_tenant(session, body, clock.now())
    return TenantCreated(
        tenant_id=tenant.tenant_id,
        name=tenant.name,
        time_zone=tenant.time_zone,
        language=tenant.language,
        created_at=tenant.created_at,
        key=KeyCreated.model_validate({**key_fields(key), "key": secret}),
    )


@router.get("", responses=problems(InvalidCursorError))
async def list_tenants(
    _: OperatorDep, session: SessionDep, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[TenantRead]:
    """List all tenants, oldest first."""
    position = decode_cursor(cursor, bits=128)
    after = None if position is None else UUID(int=position)
    rows = await service.list_tenants(session, after=after, limit=limit + 1)
    rows, following = trim(rows, limit, lambda tenant: tenant.tenant_id.int)
    return Page(items=[TenantRead.model_validate(row) for row in rows], next_cursor=following)


@router.get("/{tenant_id}", response_model=TenantRead, responses=problems(TenantNotFoundError))
async def read_tenant(_: OperatorDep, session: SessionDep, tenant_id: UUID) -> Tenant:
    """Return one tenant."""
    return await service.read_tenant(session, tenant_id)


@router.delete("/{tenant_id}", responses=problems(TenantNotFoundError, OwnTenantError))
async def delete_tenant(
    principal: OperatorDep, database: DatabaseDep, key_ring: KeyRingDep, tenant_id: UUID
) -> TenantReceipt:
    """Erase a tenant and everything in it, for ever."""
    now = clock.now()
    erased, key_ids = await service.erase_tenant(database, principal, tenant_id, now)
    key_ring.forget(*key_ids)
    return TenantReceipt(tenant_id=tenant_id, erased=erased, erased_at=now)
