"""How notes evolved: an append-only log, but for what must be forgotten and what was undone."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.linking.kernel import links as kernel
from app.linking.kernel.undoing import Change
from app.linking.models import NoteEvolution, NoteLink
from app.linking.schemas import DETERMINISTIC_LINK, NewEvolution, state_of
from app.tenants.schemas import Scope

_ADD = sa.text("""
    INSERT INTO note_evolutions (owner_id, evolution_no, id, trigger_ordinal, target_ordinal,
        action, sources, before, after, generated_by, at)
    SELECT :owner_id, r.number, r.id, r.trigger, r.target, r.action, r.sources, r.before, r.after,
        r.generated_by, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (number integer, id uuid, trigger integer,
        target integer, action text, sources integer[], before jsonb, after jsonb,
        generated_by text)
""")

_MADE_FROM = sa.text("""
    SELECT evolution_no, target_ordinal, sources, before, after, generated_by,
        reverted_at IS NOT NULL AS is_reverted
    FROM note_evolutions
    WHERE owner_id = :owner_id AND sources && CAST(:ordinals AS integer[])
""")

_REWRITE = sa.text("""
    UPDATE note_evolutions e SET sources = r.sources, before = r.before, after = r.after
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (number integer, sources integer[],
        before jsonb, after jsonb)
    WHERE e.owner_id = :owner_id AND e.evolution_no = r.number
""")

_REVERTED = sa.text("""
    SELECT target_ordinal, sources FROM note_evolutions
    WHERE owner_id = :owner_id AND sources && CAST(:ordinals AS integer[])
        AND action = 'strengthen' AND reverted_at IS NOT NULL
""")


async def last_number(session: AsyncSession, scope: Scope) -> int:
    """Return the number of the owner's latest evolution; needs the owner's lock."""
    statement = sa.select(sa.func.max(NoteEvolution.evolution_no)).where(
        NoteEvolution.owner_id == scope.owner_id
    )
    return (await session.execute(statement)).scalar_one() or 0


async def add(
    session: AsyncSession, scope: Scope, new: Sequence[NewEvolution], *, now: datetime
) -> None:
    """Append evolutions of notes that exist."""
    if new:
        rows = json.dumps([one.model_dump(mode="json") for one in new])
        await session.execute(_ADD, {"owner_id": scope.owner_id, "rows": rows, "now": now})


async def of(
    session: AsyncSession, scope: Scope, target: int, *, after: int, limit: int
) -> Sequence[NoteEvolution]:
    """Return what befell one note, oldest first, from behind number ``after``."""
    statement = (
        sa.select(NoteEvolution)
        .where(
            NoteEvolution.owner_id == scope.owner_id,
            NoteEvolution.target_ordinal == target,
            NoteEvolution.evolution_no > after,
        )
        .order_by(NoteEvolution.evolution_no)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def by_id(
    session: AsyncSession, scope: Scope, target: int, evolution_id: UUID
) -> NoteEvolution | None:
    """Return one evolution of a note."""
    statement = sa.select(NoteEvolution).where(
        NoteEvolution.owner_id == scope.owner_id,
        NoteEvolution.target_ordinal == target,
        NoteEvolution.id == evolution_id,
    )
    return (await session.scalars(statement)).one_or_none()


async def made_from(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> list[Change]:
    """Return the changes that any of the memories had a part in.

    Reads the owner's whole log: for erasing and editing, not for every write.
    """
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return [
        Change(
            number=row.evolution_no,
            target=row.target_ordinal,
            sources=tuple(row.sources),
            before=state_of(row.before).plain(),
            after=state_of(row.after).plain(),
            is_by_model=row.generated_by != DETERMINISTIC_LINK,
            is_reverted=row.is_reverted,
        )
        for row in await session.execute(_MADE_FROM, values)
    ]


async def rewrite(session: AsyncSession, scope: Scope, changes: Sequence[Change]) -> None:
    """Put changes on record as they would have been without some of their sources."""
    if changes:
        rows = [
            {
                "number": one.number,
                "sources": one.sources,
                "before": asdict(one.before),
                "after": asdict(one.after),
            }
            for one in changes
        ]
        values = {"owner_id": scope.owner_id, "rows": json.dumps(rows)}
        await session.execute(_REWRITE, values)


async def drop(session: AsyncSession, scope: Scope, numbers: Sequence[int]) -> None:
    """Delete evolutions, and the links that they made."""
    if not numbers:
        return
    for table in (NoteLink, NoteEvolution):
        await session.execute(
            sa.delete(table).where(
                table.owner_id == scope.owner_id, table.evolution_no.in_(numbers)
            )
        )


async def reverted_pairs(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> set[tuple[int, int]]:
    """Return the pairs of notes, later one first, whose link of these notes' was undone.

    Reads the owner's whole log: for restored memories, not for every write.
    """
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return {
        kernel.ends(target, other)
        for target, sources in await session.execute(_REVERTED, values)
        for other in sources
        if other != target
    }
