"""A vote: found with its recall, and stored as an error of what was predicted."""

import asyncio
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.feedback import repository as rows
from app.feedback.errors import RecallNotFoundError
from app.feedback.schemas import Ballot, FeedbackCreate, FeedbackRead, Recall
from app.feedback.service.noting import EVERY_S, RecallLog
from app.kit import clock
from app.kit.database import Database
from app.kit.ids import time_of
from app.memories import service as memories
from app.memories.errors import MemoryNotFoundError
from app.tenants import service as tenants
from app.tenants.schemas import OwnerName, Principal, Scope

SLOTS = 512
"""Votes that an owner's error memory holds; a new one takes the place of the oldest."""
_NOTED_WITHIN = timedelta(seconds=2 * EVERY_S)
"""Another process notes its recalls this soon."""
_LOOK_AGAIN_S = 0.2

Status = Literal["stored", "repeated", "changed"]


async def vote(
    database: Database, log: RecallLog, principal: Principal, body: FeedbackCreate
) -> FeedbackRead:
    """Store what a caller says of a hit; the same said twice counts once.

    Raises:
        RecallNotFoundError: there is no such recall that the caller may see, or no more.
        MemoryNotFoundError: the memory is not among its hits, or is no longer there.
    """
    found = await _find(database, log, principal, body.recall_id)
    scope = Scope(principal.tenant_id, found.owner_id)
    async with database.transaction(tenant_id=scope.tenant_id, owner_id=scope.owner_id) as session:
        await memories.lock_owner(session, scope)
        ballot = await _ballot(session, scope, found, body)
        status = await _cast(session, scope, ballot)
    return FeedbackRead(
        recall_id=body.recall_id,
        memory_id=body.memory_id,
        useful=ballot.useful,
        predicted=ballot.predicted,
        error=ballot.useful - ballot.predicted,
        status=status,
    )


async def _find(
    database: Database, log: RecallLog, principal: Principal, recall_id: UUID
) -> Recall:
    """Return the recall; one of a moment ago may still be on its way, here or elsewhere."""
    await log.flush()
    while True:
        async with database.transaction(tenant_id=principal.tenant_id) as session:
            found = await rows.recall(session, principal.tenant_id, recall_id)
            if found is not None and await _may_see(session, principal, found):
                return found
        age = clock.now() - (time_of(recall_id) or datetime.min.replace(tzinfo=clock.now().tzinfo))
        if found is not None or not timedelta(0) <= age < _NOTED_WITHIN:
            msg = f"No recall {recall_id} in this scope that can be voted on."
            raise RecallNotFoundError(msg, recall_id=str(recall_id))
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _may_see(session: AsyncSession, principal: Principal, found: Recall) -> bool:
    if principal.bound == OwnerName("agent", found.agent_id or ""):
        return True
    return await tenants.may_see(session, principal, found.owner_id)


async def _ballot(
    session: AsyncSession, scope: Scope, found: Recall, body: FeedbackCreate
) -> Ballot:
    now = clock.now()
    live = await memories.live_by_ids(session, scope, [body.memory_id], now=now)
    if not live or live[0].ordinal not in found.ordinals:
        raise MemoryNotFoundError.of(body.memory_id)
    place = list(found.ordinals).index(live[0].ordinal)
    return Ballot(
        recall_id=found.recall_id,
        memory_ordinal=live[0].ordinal,
        rank=place + 1,
        predicted=round(found.predictions[place], 6),
        useful=float(body.useful),
        at=now,
    )


async def _cast(session: AsyncSession, scope: Scope, ballot: Ballot) -> Status:
    before = await rows.said_before(session, scope, ballot)
    if before is None:
        number = await tenants.count_vote(session, scope)
        await rows.store(session, scope, ballot, slot=number % SLOTS)
        return "stored"
    if abs(before - ballot.useful) < 1e-6:
        return "repeated"
    await rows.change(session, scope, ballot)
    return "changed"
