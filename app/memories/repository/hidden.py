"""Memories that are held but not shown."""

from collections.abc import Collection
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


async def hidden(
    session: AsyncSession, scope: Scope, ordinals: Collection[int], *, now: datetime
) -> frozenset[int]:
    """Return those of the memories that are archived or have expired."""
    if not ordinals:
        return frozenset()
    values = {"owner_id": scope.owner_id, "ordinals": sorted(ordinals), "now": now}
    return frozenset((await session.scalars(_HIDDEN, values)).all())
