"""The feed of changes that mechanisms follow, and how far each has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import MechanismCursor, Memory, MemoryChange, OwnerStats
from app.memories.repository.rows import in_scope
from app.tenants.schemas import Scope

_NOTE = sa.text("""
    WITH counter AS (
        UPDATE owner_stats SET last_change = last_change + cardinality(CAST(:ordinals AS integer[]))
        WHERE owner_id = :owner_id RETURNING last_change
    )
    INSERT INTO memory_changes (owner_id, memory_ordinal, change_no)
    SELECT :owner_id, o.ordinal, counter.last_change - o.back + 1
    FROM counter, unnest(CAST(:ordinals AS integer[])) WITH ORDINALITY AS o (ordinal, back)
    ON CONFLICT (owner_id, memory_ordinal) DO UPDATE SET change_no = excluded.change_no
""")


class Position(NamedTuple):
    """How far a feed was read: new memories by ordinal, changes of older ones by number."""

    ordinal: int = 0
    change_no: int = 0


async def note_changes(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Put changed memories at the end of the feed; needs the owner's lock."""
    if ordinals:
        values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
        await session.execute(_NOTE, values)


async def position(session: AsyncSession, scope: Scope, mechanism: str) -> Position:
    """Return how far a mechanism has come; the start before its first step."""
    statement = sa.select(MechanismCursor.ordinal, MechanismCursor.change_no).where(
        MechanismCursor.owner_id == scope.owner_id, MechanismCursor.mechanism == mechanism
    )
    row = (await session.execute(statement)).one_or_none()
    return Position(*row) if row else Position()


async def move(
    session: AsyncSession, scope: Scope, mechanism: str, to: Position, *, now: datetime
) -> None:
    """Note how far a mechanism has come; needs the owner's lock."""
    values = {"ordinal": to.ordinal, "change_no": to.change_no, "updated_at": now}
    statement = insert(MechanismCursor).values(
        owner_id=scope.owner_id, mechanism=mechanism, **values
    )
    await session.execute(
        statement.on_conflict_do_update(index_elements=["owner_id", "mechanism"], set_=values)
    )


async def end(session: AsyncSession, scope: Scope) -> Position:
    """Return the end of the feed as committed now."""
    statement = sa.select(OwnerStats.last_ordinal, OwnerStats.last_change).where(
        OwnerStats.owner_id == scope.owner_id
    )
    row = (await session.execute(statement)).one_or_none()
    return Position(*row) if row else Position()


async def new(
    session: AsyncSession, scope: Scope, *, after: int, until: int, limit: int
) -> Sequence[Memory]:
    """Return verbatim memories that mechanisms may use, by ordinal, archived ones too."""
    statement = (
        in_scope(scope)
        .where(
            Memory.ordinal > after,
            Memory.ordinal <= until,
            Memory.generated_by.is_(None),
            Memory.infer,
        )
        .order_by(Memory.ordinal)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def changed(
    session: AsyncSession, scope: Scope, *, after: Position, until: Position, limit: int
) -> Sequence[tuple[int, Memory]]:
    """Return older memories that changed, with the number of the change, ascending."""
    statement = (
        in_scope(scope)
        .add_columns(MemoryChange.change_no)
        .join(
            MemoryChange,
            sa.and_(
                MemoryChange.owner_id == Memory.owner_id,
                MemoryChange.memory_ordinal == Memory.ordinal,
            ),
        )
        .where(
            MemoryChange.change_no > after.change_no,
            MemoryChange.change_no <= until.change_no,
            Memory.ordinal <= after.ordinal,
            Memory.generated_by.is_(None),
            Memory.infer,
        )
        .order_by(MemoryChange.change_no)
        .limit(limit)
    )
    return [(row.change_no, row.Memory) for row in await session.execute(statement)]


async def quiet_seconds(session: AsyncSession) -> float:
    """Return for how many seconds the api has not worked on any owner's memories."""
    return float((await session.execute(sa.text("SELECT quiet_seconds()"))).scalar_one())
