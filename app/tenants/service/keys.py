"""API keys: making, listing, revoking; the operator's own."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import Database, enter_tenant
from app.kit.ids import new_id
from app.tenants import kernel
from app.tenants.errors import InvalidKeyRequestError, KeyNotFoundError, MissingScopeError
from app.tenants.models import ApiKey
from app.tenants.repository import keys as repository
from app.tenants.repository import tenants
from app.tenants.schemas import KeyCreate, Principal

DEFAULT_TENANT: Final = UUID("00000000-0000-7000-8000-000000000001")
BOOTSTRAP_KEY: Final = UUID("00000000-0000-7000-8000-000000000002")


async def create_key(
    session: AsyncSession, principal: Principal, wanted: KeyCreate, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key of the caller's tenant; return its row and the secret, which is not kept.

    Raises:
        MissingScopeError: the caller grants a scope it does not have.
        InvalidKeyRequestError: the key would be expired from the start.
    """
    for scope in wanted.scopes:
        if scope not in principal.scopes:
            raise MissingScopeError.of(scope)
    if wanted.expires_at is not None and wanted.expires_at <= now:
        msg = "`expires_at` lies in the past."
        raise InvalidKeyRequestError(msg)
    return await issue(session, principal.tenant_id, wanted, now)


async def issue(
    session: AsyncSession, tenant_id: UUID, wanted: KeyCreate, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key of the entered tenant; return its row and the secret."""
    secret = kernel.KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        tenant_id=tenant_id,
        key_id=new_id(),
        name=wanted.name,
        hash=kernel.digest(secret),
        hint=secret[-kernel.HINT_LENGTH :],
        scopes=sorted(set(wanted.scopes)),
        bound_kind=wanted.bound.kind if wanted.bound else None,
        bound_external_id=wanted.bound.external_id if wanted.bound else None,
        requests_per_minute=wanted.requests_per_minute,
        daily_items=wanted.daily_items,
        created_at=now,
        expires_at=wanted.expires_at,
    )
    session.add(key)
    await session.flush()
    return key, secret


async def list_keys(
    session: AsyncSession, tenant_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[ApiKey]:
    """Return a tenant's keys that are not revoked, oldest first."""
    return await repository.page(session, tenant_id, after=after, limit=limit)


async def read_key(session: AsyncSession, tenant_id: UUID, key_id: UUID) -> ApiKey:
    """Return a key that is not revoked.

    Raises:
        KeyNotFoundError: the tenant has none.
    """
    key = await repository.get(session, tenant_id, key_id)
    if key is None:
        raise KeyNotFoundError
    return key


async def revoke_key(
    session: AsyncSession, principal: Principal, key_id: UUID, now: datetime
) -> None:
    """End a key of the caller's tenant.

    Raises:
        KeyNotFoundError: the tenant has none.
        MissingScopeError: it is an operator's key and the caller is none.
    """
    key = await read_key(session, principal.tenant_id, key_id)
    if "operator" in key.scopes and "operator" not in principal.scopes:
        needed = "operator"
        raise MissingScopeError.of(needed)
    await repository.revoke(session, principal.tenant_id, key_id, now)


async def ensure_bootstrap(database: Database, key: str, now: datetime) -> None:
    """See that the tenant ``default`` exists and that ``key`` is its operator's key.

    The operator's key has one row: another key at the next start takes the place of this one.

    Raises:
        ValueError: not a key.
    """
    if not kernel.is_well_formed(key):
        msg = "APP_BOOTSTRAP_KEY must be `rk_` and 16 to 200 of the characters A-Z a-z 0-9 _ -"
        raise ValueError(msg)
    async with database.transaction() as session:
        await tenants.enter_operator(session)
        await tenants.lock_bootstrap(session)
        await tenants.add_if_missing(session, DEFAULT_TENANT, "default", now)
        await enter_tenant(session, DEFAULT_TENANT)
        await repository.put(
            session,
            {
                "tenant_id": DEFAULT_TENANT,
                "key_id": BOOTSTRAP_KEY,
                "name": "bootstrap",
                "hash": kernel.digest(key),
                "hint": key[-kernel.HINT_LENGTH :],
                "scopes": ["operator"],
                "created_at": now,
            },
        )
