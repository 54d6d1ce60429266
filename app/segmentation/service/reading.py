"""Segments as their owner sees them."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.service import ModelTable
from app.segmentation import repository as rows
from app.segmentation.schemas import Kept, Listing, RepresentativeRead, SegmentRead, Within
from app.tenants.schemas import Scope


async def page(
    session: AsyncSession, scope: Scope, asked: Listing
) -> list[tuple[int, SegmentRead]]:
    """Return segments, the newest first, each behind the ordinal that it begins with."""
    held = await rows.page(session, scope, asked)
    shown = {o for one in held for o in _named(one)}
    found = await memories.by_ordinals(session, scope, sorted(shown))
    by_ordinal = {memory.ordinal: memory for memory in found}
    return [(one.first_ordinal, _read(one, by_ordinal)) for one in held]


def _named(one: Kept) -> Sequence[int]:
    return [one.members[0], one.members[-1], *one.representatives]


def _read(one: Kept, found: dict[int, Memory]) -> SegmentRead:
    turns = [found[ordinal] for ordinal in one.representatives]
    return SegmentRead(
        session_id=one.session_id,
        agent_id=one.agent_id,
        first_id=found[one.members[0]].id,
        last_id=found[one.members[-1]].id,
        turns=len(one.members),
        started_at=one.started_at,
        ended_at=one.ended_at,
        began_by=one.reason,
        surprise=one.surprise,
        is_closed=one.needs_ordinal is not None and not one.is_stale,
        representatives=[
            RepresentativeRead(id=turn.id, content=turn.content)
            for turn in turns
            if turn.archived_at is None
        ],
    )


async def relevant(
    session: AsyncSession, scope: Scope, table: ModelTable, vector: Vectors, *, k: int
) -> Within | None:
    """Return the turns of the ``k`` segments nearest to a question; ``None``: there are none.

    Segments that are to be cut anew are among them whatever they say. Shape of ``vector``: [d].
    """
    return await rows.relevant(session, scope, table.model_id, vector, k=k)
