"""Making memories findable: windows and vectors outside a transaction, keys inside."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.errors import EmbedderError
from app.embeddings.kernel import always_fits, byte_windows
from app.embeddings.protocol import Embedded, Embedder
from app.embeddings.service import embed
from app.kit import time_vocabulary
from app.kit.metrics import stage
from app.kit.relative_times import Days
from app.memories import kernel
from app.memories.kernel import KeyPlan, Span, Statement
from app.memories.models import Memory
from app.memories.repository import keys as key_rows
from app.memories.repository import owners, rows, told_days, vectors
from app.memories.repository.keys import PlacedKey
from app.memories.service.language import Language
from app.memories.service.spaces import ModelTable, Prepared
from app.tenants.schemas import Scope


@dataclass(frozen=True, slots=True)
class Entry:
    """A memory to be indexed: its ordinal, what its keys are made of, and what was prepared."""

    ordinal: int
    statement: Statement
    prepared: Prepared


async def prepare(
    embedder: Embedder | None, texts: Sequence[str], *, budget_s: float
) -> list[Prepared]:
    """Ask for windows and vectors of bare turns; without vectors while the embedder is away.

    Calls the embedder, for ``budget_s`` seconds at most: not inside a transaction.
    """
    try:
        if embedder is None:
            return [unembedded(text) for text in texts]
        async with asyncio.timeout(budget_s):
            with stage("embed"):
                return await _embedded(embedder, texts)
    except (EmbedderError, TimeoutError):
        return [unembedded(text) for text in texts]


async def _embedded(embedder: Embedder, texts: Sequence[str]) -> list[Prepared]:
    spans = await _windows(embedder, texts)
    parts = [
        text[start:stop]
        for text, windows in zip(texts, spans, strict=True)
        for start, stop in windows
    ]
    found = await embed(embedder, parts)
    ends = [0, *np.cumsum([len(windows) for windows in spans])]
    return [
        Prepared(
            windows,
            found.vectors[start:stop],
            found.tokens[start:stop] if found.tokens is not None else None,
        )
        for windows, start, stop in zip(spans, ends, ends[1:], strict=False)
    ]


async def _windows(embedder: Embedder, texts: Sequence[str]) -> list[tuple[Span, ...]]:
    long = [index for index, text in enumerate(texts) if not always_fits(text)]
    spans: list[tuple[Span, ...]] = [((0, len(text)),) for text in texts]
    if long:
        asked = await embedder.windows([texts[index] for index in long])
        for index, found in zip(long, asked, strict=True):
            spans[index] = found.spans
    return spans


def unembedded(text: str) -> Prepared:
    """Return the windows of a text as they can be told without the embedder, and no vectors."""
    return Prepared(((0, len(text)),) if always_fits(text) else byte_windows(text).spans, None)


async def index(
    session: AsyncSession,
    scope: Scope,
    entries: Sequence[Entry],
    *,
    table: ModelTable | None,
    language: Language,
) -> None:
    """Store the keys of memories, and the vectors that were prepared for them."""
    planned = [
        kernel.plan_keys(entry.statement, entry.prepared.windows, language.zone)
        for entry in entries
    ]
    placed = await _place(session, scope, entries, planned)
    await key_rows.index(
        session, scope, [key for keys in placed for key in keys], config=language.config
    )
    told = {entry.ordinal: _told(entry.statement, language) for entry in entries}
    await told_days.add(session, scope, told)
    ready = [
        (keys, entry.prepared.vectors, entry.prepared.tokens)
        for keys, entry in zip(placed, entries, strict=True)
        if entry.prepared.vectors is not None
    ]
    if table is None or len(ready) < len(entries):
        await owners.set_pending(session, scope, is_pending=True)
    if table is not None and ready:
        ordinals = [key.ordinal for keys, *_ in ready for key in keys]
        tokens = [one for *_, held in ready for one in held or ()]
        stacked = Embedded(
            np.concatenate([found for _, found, _ in ready]),
            tokens if len(tokens) == len(ordinals) else None,
        )
        await vectors.store(session, scope, table.model_id, ordinals, stacked)


def _told(statement: Statement, language: Language) -> list[Days]:
    """Return the days that a memory tells of besides the one it was said on."""
    return kernel.told_days(
        statement.content,
        kernel.in_zone(statement.occurred_at, language.zone).date(),
        time_vocabulary.reader(language.code),
        time_vocabulary.month_names(language.code),
    )


async def _place(
    session: AsyncSession,
    scope: Scope,
    entries: Sequence[Entry],
    planned: Sequence[Sequence[KeyPlan]],
) -> list[list[PlacedKey]]:
    """Give each memory's first key the memory's ordinal, further ones ordinals of their own."""
    extra = sum(len(plans) - 1 for plans in planned)
    further = iter(await owners.take_extra_keys(session, scope, extra)) if extra else iter(())
    return [
        [
            PlacedKey(next(further) if position else entry.ordinal, entry.ordinal, plan)
            for position, plan in enumerate(plans)
        ]
        for entry, plans in zip(entries, planned, strict=True)
    ]


async def statements(
    session: AsyncSession, scope: Scope, held: Sequence[Memory]
) -> list[Statement]:
    """Return what the keys of stored memories are made of, with the turns before them."""
    wanted = [m.context_ordinal for m in held if m.context_ordinal is not None]
    found = await rows.by_ordinals(session, scope, wanted)
    before = {memory.ordinal: memory for memory in found if memory.archived_at is None}
    return [_statement(memory, before.get(memory.context_ordinal or 0)) for memory in held]


def _statement(memory: Memory, previous: Memory | None) -> Statement:
    return Statement(
        content=memory.content,
        name=memory.name,
        occurred_at=memory.occurred_at,
        previous=kernel.spoken(previous.content, previous.name) if previous else None,
    )


async def rekey(
    session: AsyncSession, scope: Scope, held: Sequence[Memory], *, language: Language
) -> None:
    """Recompute keyword texts and told days of live memories; windows and vectors stay."""
    live = [memory for memory in held if memory.archived_at is None]
    known = dict(
        zip(
            [memory.ordinal for memory in live],
            await statements(session, scope, live),
            strict=True,
        )
    )
    keys = await key_rows.of_memories(session, scope, list(known))
    texts = [
        (
            key.ordinal,
            kernel.lexical_text(known[key.memory_ordinal], key.start, key.stop, language.zone),
        )
        for key in keys
        if key.text is None
    ]
    await key_rows.reindex(session, scope, texts, config=language.config)
    await told_days.drop(session, scope, list(known))
    told = {ordinal: _told(statement, language) for ordinal, statement in known.items()}
    await told_days.add(session, scope, told)
