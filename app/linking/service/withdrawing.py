"""Notes of memories that were edited while linking is off say nothing until they are made anew."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import clock
from app.linking.kernel import notes as kernel
from app.linking.repository import notes as rows
from app.linking.schemas import NoteState
from app.linking.service import undoing, upkeep
from app.memories.models import Memory
from app.tenants.schemas import Scope

_NOTHING = NoteState(keywords=[], tags=[], context="")


async def outdated(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Take the words of edited memories out of all notes, and the links of their own away.

    A note that still says what its memory says stays. Needs the owner's lock.
    """
    known = await rows.digests(session, scope, [memory.ordinal for memory in changed])
    stale = [
        one.ordinal
        for one in changed
        if one.ordinal in known and known[one.ordinal] != kernel.digest(one.content, one.name)
    ]
    if not stale:
        return
    await undoing.forget(session, scope, stale)
    await upkeep.unlink(session, scope, stale)
    empty = dict.fromkeys(stale, _NOTHING)
    await rows.change(session, scope, empty, model_id=0, now=clock.now())
