"""What the worker does for memories: missing vectors, expiry, re-reading, changing the model."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Embedded, Embedder
from app.embeddings.service import AWAY_S, embed, embedder_awaited, has_tokens
from app.jobs import service as jobs
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.kit import clock
from app.kit.database import Database
from app.memories import kernel
from app.memories.errors import ModelNotConfiguredError
from app.memories.models import EmbeddingModel, Memory
from app.memories.repository import events, owners, rows, vectors
from app.memories.repository import keys as key_rows
from app.memories.repository.vectors import PendingKey
from app.memories.service.deriving import Derivations
from app.memories.service.editing import hide
from app.memories.service.indexing import rekey
from app.memories.service.language import language_of
from app.memories.service.spaces import CACHE_S, Spaces
from app.tenants.schemas import Scope

_BATCH = 256
_OWNERS = 500
_EMBED_BATCH = 64
"""Keys embedded and stored at a time: what is done stays done when the embedder goes away."""
_FIRST = -(2**31)
_MOST_OWNERS = 100_000
LEAST_AGREEMENT = 0.85
"""Share of exact neighbours that bits must find among the nearest 4 % of the keys."""


async def embed_pending(context: TaskContext, spaces: Spaces) -> None:
    """Compute the vectors that were missing when memories were written, if any were."""
    scope = Scope(context.tenant_id, context.required_owner_id())
    async with _owner(context.database, scope) as session:
        waits = await owners.has_pending(session, scope)
    if waits:
        await embed_all(context, spaces)


async def embed_all(context: TaskContext, spaces: Spaces) -> None:
    """Look at all keys of an owner, and compute what vectors of the active model they lack."""
    scope = Scope(context.tenant_id, context.required_owner_id())
    space = await spaces.current()
    if space.embedder is None and space.table is not None:
        msg = f"No configured embedder serves the active model {space.table.name}."
        raise TaskPostponedError(msg, retry_in_s=AWAY_S)
    embedder = space.embedder or spaces.primary()
    with embedder_awaited():
        table = space.table or await spaces.ensure(embedder.model, await _dimensions(embedder))
        await _fill(context, scope, embedder, table.model_id)
    async with _owner(context.database, scope) as session:
        if await owners.lock(session, scope):
            rest = await vectors.pending(
                session,
                scope,
                table.model_id,
                after=_FIRST,
                limit=1,
                with_tokens=has_tokens(embedder),
            )
            await owners.set_pending(session, scope, is_pending=bool(rest))


async def _dimensions(embedder: Embedder) -> int:
    return int((await embedder.embed(["dimensions"])).shape[1])


async def _fill(context: TaskContext, scope: Scope, embedder: Embedder, model_id: int) -> None:
    """Embed every key that lacks a vector of this model, batch by batch."""
    after = _FIRST
    while not await context.is_cancelled():
        lacking = _Lacking(model_id, after, has_tokens(embedder))
        async with _owner(context.database, scope) as session:
            asked = await _pending_texts(session, scope, lacking)
        if not asked:
            return
        found = await embed(embedder, list(asked.values()))
        async with _owner(context.database, scope) as session:
            if not await owners.lock(session, scope):
                return
            now_asked = await _pending_texts(session, scope, lacking)
            # A key edited while its vector was computed waits for the next round.
            kept = [i for i, (key, text) in enumerate(asked.items()) if now_asked.get(key) == text]
            keys = list(asked)
            ordinals = [keys[i] for i in kept]
            await vectors.store(session, scope, model_id, ordinals, _only(found, kept))
        after = max(asked)


def _only(found: Embedded, places: Sequence[int]) -> Embedded:
    tokens = None if found.tokens is None else [found.tokens[place] for place in places]
    return Embedded(found.vectors[list(places)], tokens)


def _owner(database: Database, scope: Scope) -> AbstractAsyncContextManager[AsyncSession]:
    return database.transaction(tenant_id=scope.tenant_id, owner_id=scope.owner_id)


class _Lacking(NamedTuple):
    """Keys behind an ordinal that lack a model's vector, or the bits of their tokens."""

    model_id: int
    after: int
    with_tokens: bool


async def _pending_texts(session: AsyncSession, scope: Scope, lacking: _Lacking) -> dict[int, str]:
    """Return the texts of the next keys that lack a vector, by key, ascending."""
    keys = await vectors.pending(
        session,
        scope,
        lacking.model_id,
        after=lacking.after,
        limit=_EMBED_BATCH,
        with_tokens=lacking.with_tokens,
    )
    ordinals = sorted({key.memory_ordinal for key in keys})
    held = {memory.ordinal: memory for memory in await rows.by_ordinals(session, scope, ordinals)}
    return {
        key.ordinal: _dense_text(key, held[key.memory_ordinal])
        for key in keys
        if key.memory_ordinal in held
    }


def _dense_text(key: PendingKey, memory: Memory) -> str:
    return key.text or kernel.dense_text(memory.content, memory.name, key.start, key.stop)


async def reindex(context: TaskContext) -> None:
    """Renew all keyword keys after a language or time zone changed: one owner's, or all."""
    if context.owner_id is not None:
        await _reindex_owner(context, Scope(context.tenant_id, context.owner_id))
        return
    async with context.database.transaction(tenant_id=context.tenant_id) as session:
        owner_ids = await owners.with_memories(session, context.tenant_id)
    for done, owner_id in enumerate(owner_ids):
        await context.report(done / len(owner_ids))
        await _reindex_owner(context, Scope(context.tenant_id, owner_id))


async def _reindex_owner(context: TaskContext, scope: Scope) -> None:
    after = 0
    while not await context.is_cancelled():
        async with _owner(context.database, scope) as session:
            if not await owners.lock(session, scope):
                return
            held = await key_rows.live_after(session, scope, after, limit=_BATCH)
            if not held:
                return
            await rekey(session, scope, held, language=await language_of(session, scope))
        after = held[-1].ordinal


async def catch_up(context: TaskContext, derivations: Derivations) -> None:
    """Queue the mechanisms for an owner, or for all of a tenant: one of them was switched on."""
    if context.owner_id is not None:
        await _queue_mechanisms(context, derivations, context.owner_id)
        return
    after, is_more = 0, True
    while is_more and not await context.is_cancelled():
        async with context.database.transaction(tenant_id=context.tenant_id) as session:
            page = await owners.page_of(session, context.tenant_id, after=after, limit=_OWNERS)
        for owner_id in page:
            await _queue_mechanisms(context, derivations, owner_id)
            after = owner_id
        is_more = len(page) == _OWNERS


async def _queue_mechanisms(context: TaskContext, derivations: Derivations, owner_id: int) -> None:
    scope = Scope(context.tenant_id, owner_id)
    async with _owner(context.database, scope) as session:
        if await owners.lock(session, scope):
            await derivations.refresh(session, scope, now=clock.now())


async def archive_expired(
    database: Database, tenant_id: UUID, derivations: Derivations, *, now: datetime
) -> None:
    """Archive what has expired, owner by owner; recall has not shown it since the second.

    The mechanisms hear of it as of an archive by hand.
    """
    async with database.transaction(tenant_id=tenant_id) as session:
        owner_ids = await owners.with_expired(session, tenant_id, now=now)
    for owner_id in owner_ids:
        scope = Scope(tenant_id, owner_id)
        while await _archive_some(database, scope, derivations, now) == _BATCH:
            pass


async def _archive_some(
    database: Database, scope: Scope, derivations: Derivations, now: datetime
) -> int:
    async with _owner(database, scope) as session:
        if not await owners.lock(session, scope):
            return 0
        held = await rows.expired(session, scope, now=now, limit=_BATCH)
        if held:
            await hide(session, scope, held, reason="expired", now=now)
            await derivations.refresh(session, scope, now=now)
        return len(held)


async def prune_events(database: Database, tenant_id: UUID, *, before: datetime) -> None:
    """Forget history older than ``before``, owner by owner."""
    async with database.transaction(tenant_id=tenant_id) as session:
        owner_ids = await owners.with_memories(session, tenant_id)
    for owner_id in owner_ids:
        scope = Scope(tenant_id, owner_id)
        async with _owner(database, scope) as session:
            await events.prune(session, scope, before=before)


async def models(session: AsyncSession) -> Sequence[EmbeddingModel]:
    """Return all embedding models, oldest first."""
    return await vectors.models(session)


async def start_reembedding(database: Database, spaces: Spaces, name: str, *, now: datetime) -> int:
    """Make a model's tables and queue a job for every owner; return how many.

    Recall goes on with the active model; the last job to finish switches to the new one.

    Raises:
        ModelNotConfiguredError: no configured embedder serves this model.
    """
    embedder = spaces.embedder(name)
    if embedder is None:
        msg = f"No configured embedder serves {name}; set APP_NEXT_EMBEDDINGS__MODEL and __URL."
        raise ModelNotConfiguredError(msg)
    table = await spaces.ensure(name, await _dimensions(embedder))
    queued = await _queue_gaps(database, table.model_id, "memories.reembed", now=now)
    if not queued:
        await _switch(database, table.model_id)
    return queued


async def _queue_gaps(database: Database, model_id: int, task: str, *, now: datetime) -> int:
    async with database.transaction() as session:
        gaps = await vectors.gaps(session, model_id, most=_MOST_OWNERS, before=now)
    for tenant_id, owner_id in gaps:
        async with database.transaction(tenant_id=tenant_id) as session:
            await jobs.enqueue(
                session,
                tenant_id=tenant_id,
                owner_id=owner_id,
                kind="reembed",
                tasks=(task,),
                now=now,
                joins=True,
            )
    return len(gaps)


async def reembed(context: TaskContext, spaces: Spaces) -> None:
    """Fill the models under construction for one owner; switch when that was the last one.

    What is written meanwhile does not hold the switch up: it is caught up on right behind it.
    """
    scope = Scope(context.tenant_id, context.required_owner_id())
    async with context.database.transaction() as session:
        building = [row for row in await vectors.models(session) if row.state == "building"]
    for model in building:
        embedder = spaces.embedder(model.name)
        if embedder is None:
            continue
        with embedder_awaited():
            await _fill(context, scope, embedder, model.model_id)
        await finish_reembedding(context.database, model)


async def finish_reembedding(database: Database, model: EmbeddingModel) -> None:
    """Switch to a model once no memory older than its tables lacks a vector of it."""
    async with database.transaction() as session:
        gaps = await vectors.gaps(session, model.model_id, most=1, before=model.created_at)
    if gaps:
        return
    await _switch(database, model.model_id)
    # Other processes go on with the old model for a moment: catch up on what they wrote.
    await asyncio.sleep(2 * CACHE_S)
    await _queue_gaps(database, model.model_id, "memories.embed_all", now=clock.now())


async def continue_reembedding(database: Database, spaces: Spaces) -> None:
    """Queue what a change of model still lacks: an owner restored, or edited behind its job."""
    async with database.transaction() as session:
        building = [row for row in await vectors.models(session) if row.state == "building"]
    for model in building:
        if spaces.embedder(model.name) is None:
            continue
        before, task = model.created_at, "memories.reembed"
        if not await _queue_gaps(database, model.model_id, task, now=before):
            await finish_reembedding(database, model)


async def _switch(database: Database, model_id: int) -> None:
    async with database.transaction() as session:
        active = await vectors.active_model(session)
        if active is not None and active.model_id != model_id:
            await vectors.set_state(session, active.model_id, "retired")
        await vectors.set_state(session, model_id, "active")


async def check_bits(context: TaskContext, spaces: Spaces) -> None:
    """Decide by this owner's vectors whether the active model may be searched by its bits.

    Sign bits of a real embedder find nearly all exact neighbours among the nearest few percent;
    those of other vectors do not, and such a model is always scanned exactly.
    """
    scope = Scope(context.tenant_id, context.required_owner_id())
    table = (await spaces.current()).table
    if table is None:
        return
    async with _owner(context.database, scope) as session:
        sample = await vectors.bit_agreement(session, scope, table.model_id)
        if sample is not None:
            await vectors.set_bits(
                session, table.model_id, agreement=sample, uses_bits=sample >= LEAST_AGREEMENT
            )
