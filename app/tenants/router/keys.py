"""API keys of the caller's tenant; the tenant's settings."""

from uuid import UUID

from fastapi import APIRouter, status

from app.kit import clock
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, PageCursor, PageLimit, decode_cursor, trim
from app.tenants import service
from app.tenants.dependencies import AdminDep, DatabaseDep, KeyRingDep, ReaderDep, SessionDep
from app.tenants.errors import InvalidKeyRequestError, KeyNotFoundError
from app.tenants.models import ApiKey
from app.tenants.schemas import KeyCreate, KeyCreated, KeyRead, TenantSettings

router = APIRouter(prefix="/v1", tags=["administration"])


def key_fields(key: ApiKey) -> dict[str, object]:
    """Return what is told of a key."""
    bound = key.bound_external_id
    return {
        "id": key.key_id,
        "name": key.name,
        "hint": key.hint,
        "scopes": key.scopes,
        "user_id": bound if key.bound_kind == "user" else None,
        "agent_id": bound if key.bound_kind == "agent" else None,
        "requests_per_minute": key.requests_per_minute,
        "daily_items": key.daily_items,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


@router.post(
    "/keys", status_code=status.HTTP_201_CREATED, responses=problems(InvalidKeyRequestError)
)
async def create_key(principal: AdminDep, session: SessionDep, body: KeyCreate) -> KeyCreated:
    """Make an API key. The answer shows it once; only its hash is kept."""
    key, secret = await service.create_key(session, principal, body, clock.now())
    return KeyCreated.model_validate({**key_fields(key), "key": secret})


@router.get("/keys", responses=problems(InvalidCursorError))
async def list_keys(
    principal: AdminDep, session: SessionDep, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[KeyRead]:
    """List the tenant's API keys that are not revoked, oldest first."""
    position = decode_cursor(cursor, bits=128)
    after = None if position is None else UUID(int=position)
    rows = await service.list_keys(session, principal.tenant_id, after=after, limit=limit + 1)
    rows, following = trim(rows, limit, lambda key: key.key_id.int)
    items = [KeyRead.model_validate(key_fields(key)) for key in rows]
    return Page(items=items, next_cursor=following)


@router.get("/keys/{key_id}", responses=problems(KeyNotFoundError))
async def read_key(principal: AdminDep, session: SessionDep, key_id: UUID) -> KeyRead:
    """Return one API key, without its secret."""
    key = await service.read_key(session, principal.tenant_id, key_id)
    return KeyRead.model_validate(key_fields(key))


@router.delete(
    "/keys/{key_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(KeyNotFoundError)
)
async def delete_key(
    principal: AdminDep, database: DatabaseDep, key_ring: KeyRingDep, key_id: UUID
) -> None:
    """Revoke an API key: at once here, within two seconds on other replicas."""
    async with database.transaction(tenant_id=principal.tenant_id) as session:
        await service.revoke_key(session, principal, key_id, clock.now())
    key_ring.forget(key_id)


@router.get("/settings")
async def read_settings(principal: ReaderDep, session: SessionDep) -> TenantSettings:
    """Return the tenant's settings, which hold for owners that set nothing else."""
    return await service.tenant_settings(session, principal.tenant_id)


@router.put("/settings")
async def change_settings(
    principal: AdminDep, session: SessionDep, body: TenantSettings
) -> TenantSettings:
    """Replace the tenant's settings. A job renews the keys of stored texts."""
    return await service.change_tenant_settings(session, principal.tenant_id, body, clock.now())
