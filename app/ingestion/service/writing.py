"""Read, close, call the embedder, open, check again, write: one request is one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.episodes import service as episodes
from app.episodes.schemas import NewEpisode, Place
from app.ingestion import repository
from app.ingestion.errors import IdempotencyConflictError
from app.ingestion.models import IdempotencyKey
from app.ingestion.schemas import MemoriesStored, StoredItem
from app.ingestion.service.matching import Known, Outcome
from app.ingestion.service.reading import Said, Write
from app.jobs import service as jobs
from app.kit.database import Database
from app.memories import service as memories
from app.memories.errors import OwnerBusyError
from app.memories.schemas import NewMemory
from app.memories.service import ModelTable, Prepared, Spaces
from app.tenants import service as tenants
from app.tenants.schemas import Scope

_ERASED_MEANWHILE = 3
"""Attempts that may find their owner erased by another request before the caller hears of it."""

ENRICHMENT = "enrich"
ENRICHMENT_TASKS: tuple[str, ...] = (
    "memories.embed",
    "segmentation.segment",
    "linking.note",
    "linking.link",
    "thoughts.think",
    "thoughts.organise",
    "facts.extract",
    "facts.compare",
    "profiles.summarise",
    "profiles.refresh",
)
"""The chain behind a write, in order; each mechanism adds its task."""
_VECTORS_ONLY = ENRICHMENT_TASKS[:1]
"""What is left to do for texts that are kept verbatim and nothing else."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What was computed outside the transaction: windows and vectors by item, and their table."""

    prepared: Mapping[bytes, Prepared]
    table: ModelTable | None

    def of(self, said: Said) -> Prepared:
        """Return what was prepared for an item; without vectors if it was known a moment ago."""
        found = self.prepared.get(said.digest)
        return found or memories.unembedded(memories.spoken(said.item.content, said.item.name))


async def remember(
    database: Database, spaces: Spaces, write: Write, *, budget_s: float
) -> tuple[MemoriesStored, bool]:
    """Store a request's items once; return the answer, and whether it is an earlier one.

    Vectors are computed first and outside the transaction; without an embedder (or after
    ``budget_s`` seconds) the items are stored all the same, and a job adds the vectors.
    """
    replay, news = await _look_up(database, write)
    if replay is not None:
        return replay, True
    embedded = await _embed(spaces, news, budget_s=budget_s)
    for _ in range(_ERASED_MEANWHILE):
        with suppress(OwnerBusyError):  # erased a moment ago: the next attempt makes it anew
            return await _write(database, write, embedded)
    return await _write(database, write, embedded)


async def _write(
    database: Database, write: Write, embedded: Embedded
) -> tuple[MemoriesStored, bool]:
    tenant_id = write.principal.tenant_id
    async with database.transaction(tenant_id=tenant_id) as session:
        scope = await tenants.get_or_create_owner(session, tenant_id, write.owner, now=write.now)
        await memories.lock_owner(session, scope)
        replay = await _claim(session, scope, write)
        if replay is not None:
            return replay, True
        stored = await _store(session, scope, write, embedded)
        if write.key is not None:
            await repository.answer(session, tenant_id, write.key, stored.model_dump(mode="json"))
    return stored, False


async def forget_requests(session: AsyncSession, tenant_id: UUID, *, before: datetime) -> int:
    """Forget Idempotency-Keys older than ``before``; return how many."""
    return await repository.prune(session, tenant_id, before=before)


async def _look_up(
    database: Database, write: Write
) -> tuple[MemoriesStored | None, Sequence[Said]]:
    """Return the earlier answer to this request, or the items that are news."""
    tenant_id = write.principal.tenant_id
    async with database.transaction(tenant_id=tenant_id) as session:
        if write.key is not None:
            replay = _replay(await repository.recorded(session, tenant_id, write.key), write)
            if replay is not None:
                return replay, ()
        scope = await tenants.enter(session, tenant_id, write.owner)
        known = await _known(session, scope, write) if scope else Known()
    return None, [one.said for one in known.match(write.said) if one.verdict == "new"]


async def _embed(spaces: Spaces, news: Sequence[Said], *, budget_s: float) -> Embedded:
    space = await spaces.current()
    texts = [memories.spoken(said.item.content, said.item.name) for said in news]
    prepared = await memories.prepare(space.embedder, texts, budget_s=budget_s)
    table = await spaces.table_for(space, prepared)
    return Embedded({said.digest: found for said, found in zip(news, prepared, strict=True)}, table)


def _replay(row: IdempotencyKey | None, write: Write) -> MemoriesStored | None:
    if row is None:
        return None
    if row.request_digest != write.request_digest:
        msg = "This Idempotency-Key came with another body before; use a new key."
        raise IdempotencyConflictError(msg)
    return MemoriesStored.model_validate(row.response) if row.response is not None else None


async def _claim(session: AsyncSession, scope: Scope, write: Write) -> MemoriesStored | None:
    """Claim the request's key; return the answer of a twin that was first."""
    if write.key is None:
        return None
    is_ours = await repository.record(
        session,
        scope.tenant_id,
        write.key,
        owner_id=scope.owner_id,
        request_digest=write.request_digest,
        now=write.now,
    )
    if is_ours:
        return None
    return _replay(await repository.recorded(session, scope.tenant_id, write.key), write)


async def _known(session: AsyncSession, scope: Scope, write: Write) -> Known:
    client_keys = [one.item.client_id for one in write.said if one.item.client_id is not None]
    digests = [one.digest for one in write.said]
    rows = await episodes.known(session, scope, client_keys=client_keys, digests=digests)
    known = Known.of(rows)
    known.add_aliases(await episodes.aliases(session, scope, client_keys))
    return known


async def _store(
    session: AsyncSession, scope: Scope, write: Write, embedded: Embedded
) -> MemoriesStored:
    if not await memories.is_active(session, embedded.table):
        embedded = Embedded({}, None)  # the model changed meanwhile: a job makes the vectors anew
    known = await _known(session, scope, write)
    outcomes = known.match(write.said)
    new = [one for one in outcomes if one.verdict == "new"]
    if new:
        await _store_new(session, scope, write, new, embedded)
    await episodes.add_aliases(session, scope, known.new_aliases)
    ordinals = sorted({one.kept.ordinal for one in outcomes})
    pending = await memories.pending(session, scope, embedded.table, ordinals)
    items = [
        StoredItem(
            id=one.kept.id,
            client_id=one.said.item.client_id,
            status="duplicate" if one.verdict == "duplicate" else "created",
            embedding="pending" if one.kept.ordinal in pending else "ready",
        )
        for one in outcomes
    ]
    job_ids = (one.kept.job_id for one in outcomes if one.verdict != "duplicate")
    return MemoriesStored(items=items, job_id=next(filter(None, job_ids), None))


async def _store_new(
    session: AsyncSession, scope: Scope, write: Write, new: Sequence[Outcome], embedded: Embedded
) -> None:
    await tenants.count_items(session, write.principal, len(new), now=write.now)
    prepared = [embedded.of(one.said) for one in new]
    is_pending = any(found.vectors is None for found in prepared)
    tasks = list(ENRICHMENT_TASKS if write.infer else _VECTORS_ONLY if is_pending else ())
    if memories.needs_bit_check(embedded.table, scope.keys + len(new)):
        tasks.append("memories.check_bits")
    job_id = await _enqueue(session, scope, tasks, write) if tasks else None
    if memories.needs_covering(scope.keys, len(new)):
        await memories.cover_later(session, scope, now=write.now)
    ordinals = await memories.take_ordinals(session, scope, len(new))
    for one, ordinal in zip(new, ordinals, strict=True):
        one.kept.ordinal, one.kept.job_id = ordinal, job_id
    places = await episodes.place(
        session, scope, [(one.kept.ordinal, one.said.session_id) for one in new]
    )
    placed = list(zip(new, places, strict=True))
    said = [_episode(one, at, write.agent_id) for one, at in placed]
    await episodes.append(session, scope, said, job_id=job_id, now=write.now)
    await memories.add(
        session,
        scope,
        [_memory(one, at, write) for one, at in placed],
        prepared,
        table=embedded.table,
        now=write.now,
    )


async def _enqueue(session: AsyncSession, scope: Scope, tasks: Sequence[str], write: Write) -> UUID:
    return await jobs.enqueue(
        session,
        tenant_id=scope.tenant_id,
        owner_id=scope.owner_id,
        kind=ENRICHMENT,
        tasks=tasks,
        now=write.now,
        agent_id=write.agent_id,
        joins=True,
    )


def _episode(outcome: Outcome, place: Place, agent_id: str | None) -> NewEpisode:
    said, item = outcome.said, outcome.said.item
    return NewEpisode(
        id=outcome.kept.id,
        ordinal=outcome.kept.ordinal,
        session_id=said.session_id,
        seq=place.seq,
        agent_id=agent_id,
        role=item.role,
        name=item.name,
        content=item.content,
        occurred_at=said.occurred_at,
        metadata=item.metadata,
        client_key=item.client_id,
        body_digest=said.body_digest,
        digest=said.digest,
    )


def _memory(outcome: Outcome, place: Place, write: Write) -> NewMemory:
    said, item = outcome.said, outcome.said.item
    return NewMemory(
        ordinal=outcome.kept.ordinal,
        id=outcome.kept.id,
        kind=item.kind,
        content=item.content,
        occurred_at=said.occurred_at,
        session_id=said.session_id,
        agent_id=write.agent_id,
        role=item.role,
        name=item.name,
        place=item.place,
        expires_at=item.expires_at,
        importance=item.importance,
        pinned=item.pinned,
        context_ordinal=place.previous_ordinal,
        infer=write.infer,
        metadata=item.metadata,
        episode_id=outcome.kept.id,
    )
