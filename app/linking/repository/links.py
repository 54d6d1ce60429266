"""Links between notes. Those of archived and expired memories are there, but never shown."""

import json
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.linking.models import NoteLink
from app.linking.schemas import LinkFound, NewLink
from app.tenants.schemas import Scope

_ADD = sa.text("""
    INSERT INTO note_links (owner_id, source_ordinal, target_ordinal, kind, reason, weight,
        generated_by, evolution_no, created_at)
    SELECT :owner_id, r.source, r.target, r.kind, r.reason, r.weight, r.generated_by,
        r.evolution_no, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (source integer, target integer, kind text,
        reason text, weight double precision, generated_by text, evolution_no integer)
    ON CONFLICT DO NOTHING
""")

# Read from either end; both ends must be live now.
_OF = sa.text("""
    SELECT l.source_ordinal AS source, l.target_ordinal AS target, l.kind, l.reason, l.weight,
        l.generated_by, l.evolution_no
    FROM (SELECT * FROM note_links
          WHERE owner_id = :owner_id AND source_ordinal = ANY(CAST(:ordinals AS integer[]))
          UNION
          SELECT * FROM note_links
          WHERE owner_id = :owner_id AND target_ordinal = ANY(CAST(:ordinals AS integer[]))) l
    JOIN memories s ON s.owner_id = :owner_id AND s.ordinal = l.source_ordinal
        AND s.archived_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > :now)
    JOIN memories t ON t.owner_id = :owner_id AND t.ordinal = l.target_ordinal
        AND t.archived_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > :now)
    ORDER BY l.weight DESC, l.source_ordinal, l.target_ordinal
""")

_PAIRS = sa.text("""
    SELECT source_ordinal, target_ordinal FROM note_links
    WHERE owner_id = :owner_id AND source_ordinal = ANY(CAST(:ordinals AS integer[]))
    UNION
    SELECT source_ordinal, target_ordinal FROM note_links
    WHERE owner_id = :owner_id AND target_ordinal = ANY(CAST(:ordinals AS integer[]))
""")

_DROP_OF = sa.text("""
    DELETE FROM note_links WHERE owner_id = :owner_id
        AND (source_ordinal = ANY(CAST(:ordinals AS integer[]))
             OR target_ordinal = ANY(CAST(:ordinals AS integer[])))
""")


async def add(
    session: AsyncSession, scope: Scope, new: Sequence[NewLink], *, now: datetime
) -> None:
    """Insert links between notes that exist; a pair that is linked already stays as it is."""
    if new:
        rows = json.dumps([one._asdict() for one in new])
        await session.execute(_ADD, {"owner_id": scope.owner_id, "rows": rows, "now": now})


async def of(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int], *, now: datetime
) -> list[LinkFound]:
    """Return the links that begin or end at any of the memories, strongest first."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals), "now": now}
    return [LinkFound(*row) for row in await session.execute(_OF, values)]


async def pairs(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> set[tuple[int, int]]:
    """Return the linked pairs, later one first, that any of the notes is part of; hidden too."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return {(source, target) for source, target in await session.execute(_PAIRS, values)}


async def drop_of(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Delete the links of memories."""
    if ordinals:
        values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
        await session.execute(_DROP_OF, values)


async def drop_made_by(session: AsyncSession, scope: Scope, evolution_no: int) -> None:
    """Delete the links that one evolution made."""
    await session.execute(
        sa.delete(NoteLink).where(
            NoteLink.owner_id == scope.owner_id, NoteLink.evolution_no == evolution_no
        )
    )
