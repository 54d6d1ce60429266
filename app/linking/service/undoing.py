"""Taking words of memories that are erased or edited out of the notes that they had come to."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import clock
from app.linking.kernel import undoing as kernel
from app.linking.kernel.undoing import Change, State
from app.linking.models import NoteRow
from app.linking.repository import evolutions
from app.linking.repository import notes as rows
from app.linking.schemas import NoteState
from app.tenants.schemas import Scope


async def forget(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Undo what notes became because of memories that are being erased, or were edited.

    Their words go wherever they went, also from note to note. What was chosen by rule is chosen
    anew from the memories that are left; what a model said is forgotten. Needs the owner's lock.
    """
    if not ordinals:
        return
    await rows.leave(session, scope, ordinals)
    gone = frozenset(ordinals)
    found = await _reached(session, scope, gone)
    if not found:
        return
    named = {one for change in found for one in (change.target, *change.sources)}
    held = await rows.held(session, scope, sorted(named))
    done = kernel.undone(found, gone, lambda ordinal: _state(held, ordinal))
    await evolutions.drop(session, scope, done.dropped)
    await evolutions.rewrite(session, scope, done.kept)
    changed = {
        ordinal: NoteState.model_validate(state)
        for ordinal, state in done.states.items()
        if ordinal in held and state != _state(held, ordinal)
    }
    await rows.change(session, scope, changed, model_id=0, now=clock.now())


def _state(held: Mapping[int, NoteRow], ordinal: int) -> State:
    return NoteState.model_validate(held[ordinal]).plain()


async def _reached(session: AsyncSession, scope: Scope, gone: frozenset[int]) -> list[Change]:
    """Follow the log from change to change."""
    known: dict[int, Change] = {}
    found: list[Change] = []
    asked, wanted = set[int](), set(gone)
    while wanted:
        asked |= wanted
        known |= {one.number: one for one in await evolutions.made_from(session, scope, [*wanted])}
        found = kernel.reached(known.values(), gone)
        wanted = {one.target for one in found if one.before != one.after} - asked
    return found
