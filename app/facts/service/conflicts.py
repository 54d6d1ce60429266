"""Conflicts as they are asked for, settled, and seen by recall."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.facts.errors import ConflictNotFoundError
from app.facts.repository import conflicts as rows
from app.facts.schemas import ConflictFound, ConflictListing, Contested, Winner
from app.tenants import service as tenants
from app.tenants.policies import ConflictPolicy
from app.tenants.schemas import Scope


async def policy_of(session: AsyncSession, scope: Scope) -> ConflictPolicy:
    """Return by which policy an owner's conflicts are settled."""
    return (await tenants.effective_settings(session, scope)).policies.conflicts


async def conflicts(
    session: AsyncSession, scope: Scope, asked: ConflictListing
) -> list[ConflictFound]:
    """Return an owner's conflicts, those found last first."""
    return await rows.page(session, scope, asked)


async def resolve(
    session: AsyncSession,
    scope: Scope,
    conflict_id: UUID,
    winner: Winner | None,
    *,
    now: datetime,
) -> ConflictFound:
    """Note which side of a conflict holds; ``None`` leaves it to the policy again.

    Raises:
        ConflictNotFoundError: there is none of that id.
    """
    policy = await policy_of(session, scope)
    if await rows.find(session, scope, conflict_id, policy, now=now) is None:
        raise ConflictNotFoundError.of(conflict_id)
    await rows.settle(session, scope, conflict_id, winner, now=now)
    found = await rows.find(session, scope, conflict_id, policy, now=now)
    if found is None:
        raise ConflictNotFoundError.of(conflict_id)
    return found


async def contested(
    session: AsyncSession,
    scope: Scope,
    ordinals: Sequence[int],
    policy: ConflictPolicy,
    *,
    now: datetime,
) -> list[Contested]:
    """Return the conflicts of memories with others, and by the policy which side holds."""
    if not ordinals:
        return []
    return await rows.contested(session, scope, ordinals, policy, now=now)
