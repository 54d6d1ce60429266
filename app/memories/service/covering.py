"""Background indexes of large owners: made, and extended as the owner grows."""

import time
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import service as jobs
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.kit import clock
from app.kit.settings import RetrievalSettings
from app.memories.repository import covering, owners
from app.memories.service.spaces import Spaces
from app.tenants.schemas import Scope

_BATCH = 40
"""Vectors that go into the index at a time: writers of this owner wait so long."""
_SLICE_S = 5.0
"""Seconds after which other tasks of the owner have their turn."""


async def cover_later(session: AsyncSession, scope: Scope, *, now: datetime) -> None:
    """Queue the extension of an owner's background indexes, unless it is queued."""
    await jobs.enqueue(
        session,
        tenant_id=scope.tenant_id,
        owner_id=scope.owner_id,
        kind="cover",
        tasks=("memories.count_stems", "memories.extend_hnsw"),
        now=now,
        joins=True,
    )


async def count_stems(context: TaskContext) -> None:
    """Count an owner's frequent stems, so that recall need not."""
    scope = Scope(context.tenant_id, context.required_owner_id())
    async with context.database.transaction(
        tenant_id=scope.tenant_id, owner_id=scope.owner_id
    ) as session:
        if await owners.lock(session, scope):
            await covering.count_stems(session, scope, now=clock.now())


async def extend_hnsw(context: TaskContext, spaces: Spaces, settings: RetrievalSettings) -> None:
    """Put the vectors of a large owner into the index of neighbours, those that are not there."""
    scope = Scope(context.tenant_id, context.required_owner_id())
    table = (await spaces.current()).table
    async with context.database.transaction(
        tenant_id=scope.tenant_id, owner_id=scope.owner_id
    ) as session:
        keys = await owners.key_count(session, scope) or 0
    if table is not None and table.uses_bits and keys >= settings.hnsw_from:
        await _extend(context, scope, table.model_id)


async def _extend(context: TaskContext, scope: Scope, model_id: int) -> None:
    """Index vectors batch by batch until none is left or the slice is over."""
    async with context.database.transaction() as session:
        await covering.add_hnsw(session, model_id)
    until = time.monotonic() + _SLICE_S
    while not await context.is_cancelled():
        async with context.database.transaction(
            tenant_id=scope.tenant_id, owner_id=scope.owner_id
        ) as session:
            if not await owners.lock(session, scope):
                return
            done = await covering.extend_hnsw(
                session, scope, model_id, most=_BATCH, now=clock.now()
            )
        if not done:
            return
        if time.monotonic() > until:
            msg = "The index of neighbours grows in slices."
            raise TaskPostponedError(msg, retry_in_s=0.5)
