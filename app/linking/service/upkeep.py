"""Keeping notes up to date: vectors that wait, links of notes that are made anew."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.linking.kernel import notes as kernel
from app.linking.kernel.notes import Note
from app.linking.models import NoteRow
from app.linking.repository import links
from app.linking.repository import notes as rows
from app.linking.schemas import NoteState
from app.linking.service.tools import SPACE, Ready, Tools, embed
from app.memories import service as memories
from app.tenants import service as tenants
from app.tenants.schemas import Scope

_BATCH = 64
_MOST = 512


def text_of(content: str, note: NoteRow | NoteState) -> str:
    """Return what a note's vector is made of."""
    return kernel.text(content, Note(tuple(note.keywords), tuple(note.tags), note.context))


async def embed_waiting(context: TaskContext, tools: Tools) -> None:
    """Make the vectors that wait: of a new model, or of words that changed since.

    Raises:
        TaskPostponedError: the embedder is away, or more wait behind other owners' turns.
    """
    scope = Scope(context.tenant_id, context.required_owner_id())
    async with _owner(context, scope) as session:
        if not await rows.exist(session, scope) or not await _is_on(session, scope):
            return
    ready = await tools.ready()
    for _ in range(_MOST // _BATCH):
        if not await _embed_some(context, ready, scope):
            return
    msg = "More vectors of notes wait behind other owners' turns."
    raise TaskPostponedError(msg, retry_in_s=0)


def _owner(context: TaskContext, scope: Scope) -> AbstractAsyncContextManager[AsyncSession]:
    return context.database.transaction(tenant_id=scope.tenant_id, owner_id=scope.owner_id)


async def _is_on(session: AsyncSession, scope: Scope) -> bool:
    return (await tenants.effective_settings(session, scope)).policies.mechanisms.linking


async def _embed_some(context: TaskContext, ready: Ready, scope: Scope) -> bool:
    """Make a batch of vectors; return whether there was anything to do."""
    model_id = ready.table.model_id
    async with _owner(context, scope) as session:
        ordinals = await rows.waiting(session, scope, model_id, limit=_BATCH)
        held = await rows.held(session, scope, ordinals)
        contents = {
            m.ordinal: m.content for m in await memories.by_ordinals(session, scope, ordinals)
        }
    found = [note for ordinal, note in held.items() if ordinal in contents]
    if not found:
        return False
    vectors = await embed(ready, [text_of(contents[one.memory_ordinal], one) for one in found])
    async with _owner(context, scope) as session:
        await memories.lock_owner(session, scope)
        versions = {one.memory_ordinal: one.version for one in found}
        done = await rows.mark_embedded(session, scope, model_id, versions)
        kept = [place for place, one in enumerate(found) if one.memory_ordinal in done]
        kept_ordinals = [found[place].memory_ordinal for place in kept]
        await memories.put_vectors(session, scope, ready.table, SPACE, kept_ordinals, vectors[kept])
    return True


async def unlink(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Delete the links of notes that are made anew; needs the owner's lock."""
    await links.drop_of(session, scope, ordinals)
