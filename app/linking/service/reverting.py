"""Undoing one change of a note."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.linking.errors import EvolutionNotFoundError, NoteChangedError
from app.linking.repository import evolutions, links
from app.linking.repository import notes as rows
from app.linking.schemas import EvolutionRead, NoteState, state_of
from app.linking.service.reading import note_of, read
from app.memories import service as memories
from app.tenants.schemas import Principal


async def revert(
    session: AsyncSession,
    principal: Principal,
    memory_id: UUID,
    evolution_id: UUID,
    *,
    now: datetime,
) -> EvolutionRead:
    """Undo exactly one change: its words, and the links it made.

    The note's vector is made anew by the worker.

    Raises:
        EvolutionNotFoundError: no such change of this memory's note.
        NoteChangedError: undone before, or the note is no longer as the change left it.
    """
    scope, memory = await memories.find(session, principal, memory_id)
    await memories.lock_owner(session, scope)
    change = await evolutions.by_id(session, scope, memory.ordinal, evolution_id)
    if change is None:
        raise EvolutionNotFoundError.of(evolution_id)
    if change.reverted_at is not None:
        msg = "This change was undone before."
        raise NoteChangedError(msg)
    note = await note_of(session, scope, memory)
    before, after = state_of(change.before), state_of(change.after)
    if before != after:
        if NoteState.model_validate(note) != after:
            msg = "The note is no longer as this change left it; undo the later changes first."
            raise NoteChangedError(msg)
        # A deterministic change left the vector as it was; so its undoing may, too.
        model_id = None if note.embed_version < note.version else 0
        await rows.change(session, scope, {memory.ordinal: before}, model_id=model_id, now=now)
    await links.drop_made_by(session, scope, change.evolution_no)
    change.reverted_at = now
    await session.flush()
    causes = await memories.by_ordinals(session, scope, [change.trigger_ordinal])
    return read(change, causes[0].id)
