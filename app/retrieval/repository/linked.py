"""Memories that were not found by the question but by a link, narrowed like what was found."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import Memory
from app.retrieval.repository.filters import Narrowing, clauses
from app.tenants.schemas import Scope


async def passing(
    session: AsyncSession,
    scope: Scope,
    ordinals: Sequence[int],
    narrowing: Narrowing,
    *,
    now: datetime,
) -> Sequence[Memory]:
    """Return those of the memories that are live and pass the narrowing."""
    statement = sa.select(Memory).where(
        Memory.owner_id == scope.owner_id,
        Memory.tenant_id == scope.tenant_id,
        Memory.ordinal.in_(ordinals),
        Memory.archived_at.is_(None),
        sa.or_(Memory.expires_at.is_(None), Memory.expires_at > now),
        *clauses(narrowing),
    )
    return (await session.scalars(statement)).all()
