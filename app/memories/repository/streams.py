"""Streams: what was said of one agent in one session, turn by turn, in the order it was written."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import Memory
from app.tenants.schemas import Scope


class Stream(NamedTuple):
    """An agent's part of a session; ``None`` stands for no session, or no agent."""

    session_id: str | None
    agent_id: str | None


class Turn(NamedTuple):
    """A memory's place in its stream."""

    ordinal: int
    occurred_at: datetime


async def turns(
    session: AsyncSession, scope: Scope, stream: Stream, *, since: int, until: int, limit: int
) -> list[Turn]:
    """Return live turns from ordinal ``since`` to ``until``, both included, the first ``limit``."""
    statement = _of(scope, stream).where(Memory.ordinal >= since, Memory.ordinal <= until)
    rows = await session.execute(statement.order_by(Memory.ordinal).limit(limit))
    return [Turn(*row) for row in rows]


async def turns_before(
    session: AsyncSession, scope: Scope, stream: Stream, ordinal: int, *, limit: int
) -> list[Turn]:
    """Return the last ``limit`` live turns before an ordinal, ascending."""
    statement = _of(scope, stream).where(Memory.ordinal < ordinal)
    rows = await session.execute(statement.order_by(Memory.ordinal.desc()).limit(limit))
    return [Turn(*row) for row in rows][::-1]


def _of(scope: Scope, stream: Stream) -> sa.Select[int, datetime]:
    """Select what mechanisms may use of a stream."""
    return sa.select(Memory.ordinal, Memory.occurred_at).where(
        Memory.owner_id == scope.owner_id,
        Memory.tenant_id == scope.tenant_id,
        # Spelt out for no session: the index serves IS NULL, but not IS NOT DISTINCT FROM.
        Memory.session_id.is_(None)
        if stream.session_id is None
        else Memory.session_id == stream.session_id,
        Memory.agent_id.is_not_distinct_from(stream.agent_id),
        Memory.archived_at.is_(None),
        Memory.generated_by.is_(None),
        Memory.infer,
    )
