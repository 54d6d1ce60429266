"""Memories that are held but not shown: hidden ones, and tombstones of derived ones."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.tenants.schemas import Scope

# One array instead of a parameter each: summaries of many days cite more than a statement may have.
_HIDDEN = sa.text("""
    SELECT o.ordinal FROM unnest(CAST(:ordinals AS integer[])) AS o (ordinal)
    JOIN memories m ON m.owner_id = :owner_id AND m.ordinal = o.ordinal
    WHERE m.archived_at IS NOT NULL OR m.expires_at <= :now
""")

# By key: behind row-level security the planner would rather read all of an owner.
_REPLACE = sa.text("""
    UPDATE memories t SET replaced_by = m.id
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:successors AS integer[]))
        AS r (ordinal, successor)
    CROSS JOIN LATERAL (
        SELECT id FROM memories WHERE owner_id = :owner_id AND ordinal = r.successor OFFSET 0) m
    WHERE t.owner_id = :owner_id AND t.ordinal = r.ordinal
""")
_STAND_AGAIN = sa.text("""
    UPDATE memories SET replaced_by = NULL
    WHERE owner_id = :owner_id AND ordinal = ANY(CAST(:ordinals AS integer[]))
""")


async def hidden(
    session: AsyncSession, scope: Scope, ordinals: Collection[int], *, now: datetime
) -> frozenset[int]:
    """Return those of the memories that are archived or have expired."""
    if not ordinals:
        return frozenset()
    values = {"owner_id": scope.owner_id, "ordinals": sorted(ordinals), "now": now}
    return frozenset((await session.scalars(_HIDDEN, values)).all())


async def replace(session: AsyncSession, scope: Scope, successors: Mapping[int, int]) -> None:
    """Mark derived memories as tombstones: by ordinal, the ordinal of what took the place."""
    values = {
        "owner_id": scope.owner_id,
        "ordinals": list(successors),
        "successors": list(successors.values()),
    }
    await session.execute(_REPLACE, values)


async def stand_again(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Take the marks of tombstones off."""
    await session.execute(_STAND_AGAIN, {"owner_id": scope.owner_id, "ordinals": list(ordinals)})
