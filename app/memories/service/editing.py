"""Read, edit, archive, restore and erase single memories."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from app.episodes import service as episodes
from app.jobs import service as jobs
from app.kit.database import Database, enter_owner
from app.memories import kernel
from app.memories.errors import DerivedMemoryError, MemoryArchivedError, MemoryNotFoundError
from app.memories.models import Memory, MemoryEvent
from app.memories.repository import events, feed, rows, sources, told_days
from app.memories.repository import keys as key_rows
from app.memories.schemas import Embedding, MemoryUpdate
from app.memories.service.adding import lock_owner, pending
from app.memories.service.deriving import NO_DERIVATIONS, Derivations
from app.memories.service.indexing import Entry, index, prepare, rekey, statements, unembedded
from app.memories.service.language import language_of
from app.memories.service.spaces import ModelTable, Prepared, Spaces
from app.tenants.schemas import Principal, Scope


@dataclass(frozen=True, slots=True)
class Writer:
    """What an edit needs besides its subject."""

    database: Database
    spaces: Spaces
    principal: Principal
    budget_s: float
    """Seconds the embedder may take before the vector is left to a job."""
    derivations: Derivations = NO_DERIVATIONS


async def find(
    session: AsyncSession, principal: Principal, memory_id: UUID
) -> tuple[Scope, Memory]:
    """Return a memory that the caller may see, and enter its owner's scope.

    Raises:
        MemoryNotFoundError: unknown, another tenant's, or not the owner the key is bound to.
    """
    found = await rows.whereabouts(session, principal.tenant_id, memory_id)
    if found is not None and found.is_visible_to(principal.bound):
        await enter_owner(session, found.owner_id)
        scope = Scope(principal.tenant_id, found.owner_id)
        memory = await rows.by_id(session, scope, memory_id)
        if memory is not None:
            return scope, memory
    raise MemoryNotFoundError.of(memory_id)


async def find_locked(
    session: AsyncSession, principal: Principal, memory_id: UUID
) -> tuple[Scope, Memory]:
    """Return a memory and hold its owner's lock; it is read again behind the lock."""
    scope, memory = await find(session, principal, memory_id)
    await lock_owner(session, scope)
    session.expunge(memory)
    again = await rows.by_id(session, scope, memory_id)
    if again is None:
        raise MemoryNotFoundError.of(memory_id)
    return scope, again


async def page(session: AsyncSession, scope: Scope, query: rows.MemoryQuery) -> Sequence[Memory]:
    """Return memories of one owner, newest first."""
    return await rows.page(session, scope, query)


async def history(
    session: AsyncSession, principal: Principal, memory_id: UUID, *, after: int, limit: int
) -> Sequence[MemoryEvent]:
    """Return what befell a memory, oldest first."""
    scope, memory = await find(session, principal, memory_id)
    return await events.of_memory(session, scope, memory.ordinal, after=after, limit=limit)


async def embedding_states(
    session: AsyncSession, scope: Scope, spaces: Spaces, held: Sequence[Memory]
) -> dict[int, Embedding]:
    """Return by ordinal whether recall finds the memories by vector."""
    table = (await spaces.current()).table
    waiting = await pending(session, scope, table, [memory.ordinal for memory in held])
    return {memory.ordinal: _state(memory, waiting) for memory in held}


def _state(memory: Memory, waiting: set[int]) -> Embedding:
    if memory.archived_at is not None or memory.generated_by is not None:
        return "none"
    return "pending" if memory.ordinal in waiting else "ready"


async def edit(
    writer: Writer, memory_id: UUID, changes: MemoryUpdate, *, now: datetime
) -> tuple[Memory, Embedding]:
    """Change a memory and keep the members as they were in its history.

    The episode stays as it was said.
    """
    wanted = changes.model_dump(exclude_unset=True)
    if "content" in wanted:
        draft = await _prepare(writer, memory_id, wanted["content"])
    else:
        draft = _Draft("", unembedded(""), (await writer.spaces.current()).table)
    async with writer.database.transaction(tenant_id=writer.principal.tenant_id) as session:
        scope, memory = await find_locked(session, writer.principal, memory_id)
        if memory.archived_at is not None:
            msg = "The memory is archived; restore it before you change it."
            raise MemoryArchivedError(msg)
        if memory.generated_by is not None and "content" in wanted:
            msg = f"{memory.generated_by} made this memory; change what it was made of."
            raise DerivedMemoryError(msg)
        before = _apply(memory, wanted, now=now)
        if before:
            detail = {"before": to_jsonable_python(before)}
            await events.add(session, scope, [memory.ordinal], "edited", detail=detail, now=now)
            await session.flush()
        if "content" in before:
            await _index_anew(session, scope, memory, draft)
            await _rekey_dependants(session, scope, [memory])
        elif "occurred_at" in before:
            await rekey(session, scope, [memory], language=await language_of(session, scope))
        if before.keys() & {"content", "occurred_at"}:
            await note_changes(session, scope, [memory])
            await writer.derivations.refresh(session, scope, now=now, agent_id=memory.agent_id)
        return memory, await _finish(session, scope, memory, draft.table, now=now)


async def note_changes(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Let the mechanisms see these memories again; needs the owner's lock."""
    verbatim = [memory.ordinal for memory in changed if memory.generated_by is None]
    await feed.note_changes(session, scope, verbatim)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What was prepared outside of the transaction: windows and vectors of a bare turn."""

    text: str
    prepared: Prepared
    table: ModelTable | None


async def _prepare(writer: Writer, memory_id: UUID, content: str | None) -> _Draft:
    """Embed new (or, for ``None``, the present) content outside of any transaction."""
    tenant_id = writer.principal.tenant_id
    async with writer.database.transaction(tenant_id=tenant_id) as session:
        _, memory = await find(session, writer.principal, memory_id)
    text = kernel.spoken(content or memory.content, memory.name)
    space = await writer.spaces.current()
    prepared = await prepare(space.embedder, [text], budget_s=writer.budget_s)
    return _Draft(text, prepared[0], await writer.spaces.table_for(space, prepared))


def _apply(memory: Memory, wanted: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Set the members that differ; return them as they were."""
    before = {}
    for member, value in wanted.items():
        attribute = "metadata_" if member == "metadata" else member
        if not _is_same(getattr(memory, attribute), value):
            before[member] = getattr(memory, attribute)
            setattr(memory, attribute, value)
            flag_modified(memory, attribute)  # to SQLAlchemy, too, true is 1
    if before:
        memory.updated_at = now
    return before


def _is_same(held: object, value: object) -> bool:
    """Compare members; within metadata, true is not 1."""
    if isinstance(held, dict):
        return json.dumps(held, sort_keys=True) == json.dumps(value, sort_keys=True)
    return held == value


async def _index_anew(session: AsyncSession, scope: Scope, memory: Memory, draft: _Draft) -> None:
    await key_rows.unindex(session, scope, [memory.ordinal])
    await told_days.drop(session, scope, [memory.ordinal])
    statement = (await statements(session, scope, [memory]))[0]
    text = kernel.spoken(memory.content, memory.name)
    # What was prepared is of no use if the memory was edited meanwhile.
    found = draft.prepared if draft.text == text else unembedded(text)
    language = await language_of(session, scope)
    entry = Entry(memory.ordinal, statement, found)
    await index(session, scope, [entry], table=draft.table, language=language)


async def _rekey_dependants(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Renew the keys that carry these memories as the turn before."""
    following = [m for memory in changed for m in await rows.dependants(session, scope, memory)]
    if following:
        await rekey(session, scope, following, language=await language_of(session, scope))


async def _finish(
    session: AsyncSession,
    scope: Scope,
    memory: Memory,
    table: ModelTable | None,
    *,
    now: datetime,
) -> Embedding:
    """Tell whether the memory waits for a vector, and see to it that a job makes it."""
    state = _state(memory, await pending(session, scope, table, [memory.ordinal]))
    if state == "pending":
        await jobs.enqueue(
            session,
            tenant_id=scope.tenant_id,
            owner_id=scope.owner_id,
            kind="enrich",
            tasks=("memories.embed",),
            now=now,
            agent_id=memory.agent_id,
            joins=True,
        )
    return state


async def archive(
    session: AsyncSession,
    principal: Principal,
    memory_id: UUID,
    *,
    now: datetime,
    derivations: Derivations = NO_DERIVATIONS,
) -> Memory:
    """Hide a memory from recall; its keys go, its row and history stay. Safe to repeat."""
    scope, memory = await find_locked(session, principal, memory_id)
    if memory.archived_at is None:
        await hide(session, scope, [memory], reason="request", now=now)
        await derivations.refresh(session, scope, now=now, agent_id=memory.agent_id)
    return memory


async def hide(
    session: AsyncSession, scope: Scope, held: Sequence[Memory], *, reason: str, now: datetime
) -> None:
    """Archive live memories; needs the owner's lock."""
    ordinals = [memory.ordinal for memory in held]
    for memory in held:
        memory.archived_at = now
        memory.updated_at = now
    await session.flush()
    await key_rows.unindex(session, scope, ordinals)
    await told_days.drop(session, scope, ordinals)
    await _rekey_dependants(session, scope, held)
    await events.add(session, scope, ordinals, "archived", detail={"reason": reason}, now=now)
    await note_changes(session, scope, held)


async def restore(writer: Writer, memory_id: UUID, *, now: datetime) -> tuple[Memory, Embedding]:
    """Bring an archived memory back into recall. Safe to repeat.

    It fades anew from now on, and an ``expires_at`` that has passed is lifted: else the memory
    would be gone again at once.
    """
    draft = await _prepare(writer, memory_id, None)
    async with writer.database.transaction(tenant_id=writer.principal.tenant_id) as session:
        scope, memory = await find_locked(session, writer.principal, memory_id)
        if memory.archived_at is not None:
            memory.archived_at = None
            memory.updated_at = now
            memory.recalled_at = now
            if memory.expires_at is not None and memory.expires_at <= now:
                memory.expires_at = None
            await session.flush()
            if memory.generated_by is None:
                await _index_anew(session, scope, memory, draft)
                await _rekey_dependants(session, scope, [memory])
            await events.add(session, scope, [memory.ordinal], "restored", detail={}, now=now)
            await note_changes(session, scope, [memory])
            await writer.derivations.refresh(session, scope, now=now, agent_id=memory.agent_id)
        return memory, await _finish(session, scope, memory, draft.table, now=now)


async def erase(
    session: AsyncSession,
    principal: Principal,
    memory_id: UUID,
    *,
    now: datetime,
    derivations: Derivations = NO_DERIVATIONS,
) -> None:
    """Delete a memory for ever, its episode, and whatever was derived from it alone."""
    scope, memory = await find_locked(session, principal, memory_id)
    ordinals = await sources.derived_only_from(session, scope, memory.ordinal)
    gone = await rows.by_ordinals(session, scope, ordinals)
    following = [m for one in gone for m in await rows.dependants(session, scope, one)]
    kept = [m for m in following if m.ordinal not in set(ordinals)]
    await derivations.forget(session, scope, ordinals)
    await key_rows.unindex(session, scope, ordinals)
    await rows.erase(session, scope, ordinals)
    await episodes.erase(session, scope, [one.id for one in gone])  # an episode has its memory's id
    for one in kept:
        one.context_ordinal = None
    await session.flush()
    if kept:
        await rekey(session, scope, kept, language=await language_of(session, scope))
    await derivations.refresh(session, scope, now=now, agent_id=memory.agent_id)
