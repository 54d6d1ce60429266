"""Every SQL statement of the room."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.ingestion.models import IdempotencyKey

_ROUTE = "POST /v1/memories"


async def recorded(session: AsyncSession, tenant_id: UUID, key: str) -> IdempotencyKey | None:
    """Return the request made under this key before."""
    statement = sa.select(IdempotencyKey).where(
        IdempotencyKey.tenant_id == tenant_id,
        IdempotencyKey.route == _ROUTE,
        IdempotencyKey.key == key,
    )
    return (await session.scalars(statement)).one_or_none()


async def record(
    session: AsyncSession,
    tenant_id: UUID,
    key: str,
    *,
    owner_id: int,
    request_digest: bytes,
    now: datetime,
) -> bool:
    """Claim the key for this request; waits for a twin, and is false when that one was first."""
    statement = (
        insert(IdempotencyKey)
        .values(
            tenant_id=tenant_id,
            route=_ROUTE,
            key=key,
            owner_id=owner_id,
            request_digest=request_digest,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    return (await session.execute(statement)).first() is not None


async def answer(
    session: AsyncSession, tenant_id: UUID, key: str, response: dict[str, Any]
) -> None:
    """Keep the answer given to the request that claimed the key."""
    statement = (
        sa.update(IdempotencyKey)
        .where(
            IdempotencyKey.tenant_id == tenant_id,
            IdempotencyKey.route == _ROUTE,
            IdempotencyKey.key == key,
        )
        .values(response=json.loads(json.dumps(response, default=str)))
    )
    await session.execute(statement)


async def prune(session: AsyncSession, tenant_id: UUID, *, before: datetime) -> int:
    """Forget keys older than ``before``; return how many."""
    statement = (
        sa.delete(IdempotencyKey)
        .where(IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.created_at < before)
        .returning(IdempotencyKey.key)
    )
    return len((await session.execute(statement)).all())
