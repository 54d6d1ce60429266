"""Write memories; the caller holds the owner's lock and has prepared windows and vectors."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.memories import kernel
from app.memories.errors import OwnerBusyError
from app.memories.kernel import Statement
from app.memories.repository import owners, rows, vectors
from app.memories.schemas import NewMemory
from app.memories.service.indexing import Entry, index
from app.memories.service.language import language_of
from app.memories.service.spaces import ModelTable, Prepared
from app.tenants.schemas import Scope


async def lock_owner(session: AsyncSession, scope: Scope) -> None:
    """Make this the owner's only writer until the transaction ends.

    Raises:
        OwnerBusyError: the owner was erased a moment ago; a repeat makes it anew.
    """
    if not await owners.lock(session, scope):
        msg = "The owner was erased while this request was under way. Try again."
        raise OwnerBusyError(msg).retry_after(1)


async def take_ordinals(session: AsyncSession, scope: Scope, count: int) -> range:
    """Return ``count`` fresh ordinals of the owner, ascending; needs the owner's lock."""
    return await owners.take_ordinals(session, scope, count)


async def add(
    session: AsyncSession,
    scope: Scope,
    new: Sequence[NewMemory],
    prepared: Sequence[Prepared],
    *,
    table: ModelTable | None,
    now: datetime,
) -> None:
    """Insert memories with their keys and vectors; needs the owner's lock."""
    new, previous = await _turns_before(session, scope, new)
    await rows.insert(session, scope, new, now=now)
    entries = [
        Entry(memory.ordinal, _statement(memory, previous), found)
        for memory, found in zip(new, prepared, strict=True)
    ]
    language = await language_of(session, scope)
    await index(session, scope, entries, table=table, language=language)


async def _turns_before(
    session: AsyncSession, scope: Scope, new: Sequence[NewMemory]
) -> tuple[list[NewMemory], dict[int, str]]:
    """Return the turns that the new ones follow, by ordinal; most are among the new ones.

    Another agent's turn is no context: whoever may see only this agent's memories would find
    them by the other's words.
    """
    texts = {memory.ordinal: kernel.spoken(memory.content, memory.name) for memory in new}
    asked = {m.context_ordinal for m in new if m.context_ordinal is not None} - set(texts)
    agents = {memory.agent_id for memory in new}
    for memory in await rows.by_ordinals(session, scope, sorted(asked)):
        if memory.archived_at is None and {memory.agent_id} == agents:
            texts[memory.ordinal] = kernel.spoken(memory.content, memory.name)
    followed = [
        memory if memory.context_ordinal in texts else replace(memory, context_ordinal=None)
        for memory in new
    ]
    return followed, texts


def _statement(memory: NewMemory, turns: dict[int, str]) -> Statement:
    before = memory.context_ordinal
    return Statement(
        content=memory.content,
        name=memory.name,
        occurred_at=memory.occurred_at,
        previous=turns.get(before) if before is not None else None,
    )


async def is_active(session: AsyncSession, table: ModelTable | None) -> bool:
    """Tell whether vectors made for these tables are the ones that recall will compare."""
    active = await vectors.active_model(session)
    return table is None or (active is not None and active.model_id == table.model_id)


async def pending(
    session: AsyncSession, scope: Scope, table: ModelTable | None, ordinals: Collection[int]
) -> set[int]:
    """Return those of the memories that recall does not yet find by vector."""
    model_id = table.model_id if table else None
    return await vectors.pending_memories(session, scope, model_id, sorted(ordinals))
