"""What forgetting reads of memories."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.repository import fading as rows
from app.memories.repository.fading import Among, FadingMemory, Revival
from app.tenants.schemas import Scope


async def fading(
    session: AsyncSession, scope: Scope, among: Among, *, after: int, limit: int
) -> list[FadingMemory]:
    """Return live memories that may fade, by ordinal, from behind ``after``."""
    return await rows.fading(session, scope, among, after=after, limit=limit)


async def count_fading(session: AsyncSession, scope: Scope, among: Among) -> int:
    """Return how many live memories may fade."""
    return await rows.count(session, scope, among)


async def strongest(
    session: AsyncSession, scope: Scope, among: Among, *, limit: int
) -> list[FadingMemory]:
    """Return the memories of greatest strength."""
    return await rows.strongest(session, scope, among, limit=limit)


async def last_recalled(
    session: AsyncSession, scope: Scope, among: Among, *, limit: int
) -> list[FadingMemory]:
    """Return the memories recalled last, the latest first."""
    return await rows.last_recalled(session, scope, among, limit=limit)


async def weakest(
    session: AsyncSession,
    scope: Scope,
    among: Among,
    *,
    clock: Literal["created", "occurred"],
    importance_days: float,
    limit: int,
) -> list[FadingMemory]:
    """Return the memories with the least retention, weakest first."""
    return await rows.weakest(
        session, scope, among, clock=clock, importance_days=importance_days, limit=limit
    )


async def revivals(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, list[Revival]]:
    """Return when each memory was recalled or restored, as far as its history reaches."""
    return await rows.revivals(session, scope, ordinals)
