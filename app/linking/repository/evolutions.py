"""How notes evolved: an append-only log, but for what must be forgotten and what was undone."""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.linking.models import NoteEvolution, NoteLink
from app.linking.schemas import NewEvolution
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
    SELECT target_ordinal, evolution_no, before, reverted_at IS NOT NULL AS is_reverted
    FROM note_evolutions
    WHERE owner_id = :owner_id AND sources && CAST(:ordinals AS integer[])
    ORDER BY target_ordinal, evolution_no
""")

_DROP_FROM = sa.text("""
    DELETE FROM note_evolutions e USING (
        SELECT * FROM unnest(CAST(:targets AS integer[]), CAST(:numbers AS integer[]))
            AS f (target, number)) f
    WHERE e.owner_id = :owner_id AND e.target_ordinal = f.target AND e.evolution_no >= f.number
    RETURNING e.evolution_no
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


async def made_from(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Sequence[sa.Row[tuple[int, int, dict[str, object], bool]]]:
    """Return the evolutions that any of the memories had a part in, by target and number.

    Reads the owner's whole log: for erasing and editing, not for every write.
    """
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return (await session.execute(_MADE_FROM, values)).all()


async def drop_from(
    session: AsyncSession, scope: Scope, numbers: Sequence[tuple[int, int]]
) -> list[int]:
    """Delete evolutions of targets, each from a number on; return their numbers."""
    values = {
        "owner_id": scope.owner_id,
        "targets": [target for target, _ in numbers],
        "numbers": [number for _, number in numbers],
    }
    return list((await session.scalars(_DROP_FROM, values)).all())


async def drop(session: AsyncSession, scope: Scope, numbers: Sequence[int]) -> None:
    """Delete evolutions, and the links with words of their own that they made."""
    await session.execute(
        sa.delete(NoteEvolution).where(
            NoteEvolution.owner_id == scope.owner_id, NoteEvolution.evolution_no.in_(numbers)
        )
    )


async def release_links(session: AsyncSession, scope: Scope, numbers: Sequence[int]) -> None:
    """Let go of links whose evolution is forgotten; one with a model's reason goes too."""
    made = sa.and_(NoteLink.owner_id == scope.owner_id, NoteLink.evolution_no.in_(numbers))
    await session.execute(sa.delete(NoteLink).where(made, NoteLink.generated_by.startswith("llm:")))
    await session.execute(sa.update(NoteLink).where(made).values(evolution_no=None))
