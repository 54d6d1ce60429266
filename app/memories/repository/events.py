"""What befell memories: their history."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import MemoryEvent
from app.tenants.schemas import Scope

_INSERT_EVENT = sa.text("""
    INSERT INTO memory_events (owner_id, memory_ordinal, kind, at, detail)
    SELECT :owner_id, ordinal, :kind, :now, CAST(:detail AS jsonb)
    FROM unnest(CAST(:ordinals AS integer[])) AS o (ordinal)
""")


async def add(
    session: AsyncSession,
    scope: Scope,
    ordinals: Sequence[int],
    kind: str,
    *,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    """Append one event to the history of each of the memories."""
    values = {
        "owner_id": scope.owner_id,
        "ordinals": list(ordinals),
        "kind": kind,
        "detail": json.dumps(detail),
        "now": now,
    }
    await session.execute(_INSERT_EVENT, values)


async def of_memory(
    session: AsyncSession, scope: Scope, ordinal: int, *, after: int, limit: int
) -> Sequence[MemoryEvent]:
    """Return what befell a memory, oldest first, from behind event ``after``."""
    statement = (
        sa.select(MemoryEvent)
        .where(
            MemoryEvent.owner_id == scope.owner_id,
            MemoryEvent.memory_ordinal == ordinal,
            MemoryEvent.event_no > after,
        )
        .order_by(MemoryEvent.event_no)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def prune(session: AsyncSession, scope: Scope, *, before: datetime) -> int:
    """Delete events older than ``before``; return how many."""
    statement = sa.delete(MemoryEvent).where(
        MemoryEvent.owner_id == scope.owner_id, MemoryEvent.at < before
    )
    return (await session.execute(statement)).rowcount  # type: ignore[attr-defined,no-any-return]  # a CursorResult
