"""When profiles are renewed without a write: on request, when a day is over, after a long wait."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import service as jobs
from app.kit.database import Database
from app.memories import service as memories
from app.profiles.repository import states
from app.profiles.service.scopes import owner
from app.tenants.schemas import Scope

TASKS = ("profiles.summarise", "profiles.refresh")
_LONG = timedelta(days=1)
_MOST_OWNERS = 1_000


async def request(session: AsyncSession, scope: Scope, *, full: bool, now: datetime) -> UUID:
    """Queue the renewal of a profile; return the job's id."""
    await memories.lock_owner(session, scope)
    state = await states.get_or_add(session, scope, now=now)
    state.is_forced = True
    state.wants_full = state.wants_full or full
    await session.flush()
    return await _enqueue(session, scope, now=now)


async def _enqueue(session: AsyncSession, scope: Scope, *, now: datetime) -> UUID:
    return await jobs.enqueue(
        session,
        tenant_id=scope.tenant_id,
        owner_id=scope.owner_id,
        kind="profile",
        tasks=TASKS,
        now=now,
        joins=True,
    )


async def close_days(database: Database, tenant_id: UUID, now: datetime) -> None:
    """Queue owners with a day that is over, and those with few changes that waited for a day."""
    async with database.transaction(tenant_id=tenant_id) as session:
        waiting = await states.due(
            session, tenant_id, now=now, quiet_since=now - _LONG, limit=_MOST_OWNERS
        )
    for owner_id in waiting:
        scope = Scope(tenant_id, owner_id)
        async with owner(database, scope) as session:
            await memories.lock_owner(session, scope)
            state = await states.get(session, scope)
            if state is None:
                continue
            state.is_forced = state.is_forced or state.updated_at < now - _LONG
            # Not again before this had time to run.
            state.next_close_at = now + timedelta(hours=1) if state.next_close_at else None
            state.updated_at = now
            await session.flush()
            await _enqueue(session, scope, now=now)
