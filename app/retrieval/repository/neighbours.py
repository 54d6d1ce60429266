"""The turns beside a memory in its session."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.retrieval.kernel.contiguous import Beside
from app.tenants.schemas import Scope

# A memory without a session has none: equality with null is never true.
_BESIDE = sa.text("""
    SELECT h.ordinal, p.ordinal AS previous, n.ordinal AS next
    FROM unnest(CAST(:ordinals AS integer[])) AS o (ordinal)
    CROSS JOIN LATERAL (
        SELECT ordinal, session_id, agent_id FROM memories
        WHERE owner_id = :owner_id AND ordinal = o.ordinal OFFSET 0) h
    LEFT JOIN LATERAL (
        SELECT ordinal FROM memories
        WHERE owner_id = :owner_id AND session_id = h.session_id AND ordinal < h.ordinal
            AND agent_id IS NOT DISTINCT FROM h.agent_id AND generated_by IS NULL
            AND archived_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
        ORDER BY ordinal DESC LIMIT 1 OFFSET 0) p ON true
    LEFT JOIN LATERAL (
        SELECT ordinal FROM memories
        WHERE owner_id = :owner_id AND session_id = h.session_id AND ordinal > h.ordinal
            AND agent_id IS NOT DISTINCT FROM h.agent_id AND generated_by IS NULL
            AND archived_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
        ORDER BY ordinal LIMIT 1 OFFSET 0) n ON true
""")


async def beside(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int], *, now: datetime
) -> dict[int, Beside]:
    """Return the live turns before and behind memories, of the same session and agent."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals), "now": now}
    rows = await session.execute(_BESIDE, values)
    return {row.ordinal: Beside(row.previous, row.next) for row in rows}
