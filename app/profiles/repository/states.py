"""How far profiles have come."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.profiles.models import ProfileState
from app.tenants.schemas import Scope


async def get(session: AsyncSession, scope: Scope) -> ProfileState | None:
    """Return an owner's state; ``None`` before its first memory was looked at."""
    statement = sa.select(ProfileState).where(
        ProfileState.owner_id == scope.owner_id, ProfileState.tenant_id == scope.tenant_id
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def get_or_add(session: AsyncSession, scope: Scope, *, now: datetime) -> ProfileState:
    """Return an owner's state, made at its first mention; needs the owner's lock."""
    await session.execute(
        insert(ProfileState)
        .values(
            owner_id=scope.owner_id,
            tenant_id=scope.tenant_id,
            version=0,
            full_version=0,
            members=0,
            changes=0,
            erasures=0,
            is_forced=False,
            wants_full=False,
            calibration={},
            updated_at=now,
        )
        .on_conflict_do_nothing()
    )
    state = await get(session, scope)
    assert state is not None
    return state


async def due(
    session: AsyncSession, tenant_id: UUID, *, now: datetime, quiet_since: datetime, limit: int
) -> Sequence[int]:
    """Return owners with a day that is over, or with changes that have waited for long."""
    statement = (
        sa.select(ProfileState.owner_id)
        .where(
            ProfileState.tenant_id == tenant_id,
            sa.or_(
                ProfileState.next_close_at <= now,
                sa.and_(ProfileState.changes > 0, ProfileState.updated_at < quiet_since),
            ),
        )
        .order_by(ProfileState.next_close_at)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()
