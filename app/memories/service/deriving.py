"""Memories and vectors that mechanisms make of memories."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.jobs import service as jobs
from app.kit.ids import new_id
from app.memories.models import Memory
from app.memories.repository import derived, hidden, owners, rows, sources
from app.memories.repository import keys as key_rows
from app.memories.repository.derived import Neighbour
from app.memories.schemas import DerivedMemory, NewMemory
from app.memories.service.spaces import ModelTable
from app.tenants.schemas import Scope

EXACT_BELOW = 2_000
"""Memories of an owner from which its neighbours are searched by bits, where the model allows."""
_BIT_CANDIDATES = 100

SourcesGone = Callable[[AsyncSession, Scope, Sequence[int]], Awaitable[None]]
"""Removes what was made of memories (by ordinal) that are being erased, in their transaction."""


@dataclass(frozen=True, slots=True)
class Derivations:
    """What the mechanisms want to know when memories change; put together by the program."""

    gone: tuple[SourcesGone, ...] = ()
    tasks: tuple[str, ...] = ()
    """Tasks that bring an owner's derived texts up to date, in order."""

    async def forget(self, session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
        """Remove what was made of memories that are about to be erased."""
        for gone in self.gone:
            await gone(session, scope, ordinals)

    async def refresh(
        self, session: AsyncSession, scope: Scope, *, now: datetime, agent_id: str | None = None
    ) -> None:
        """Queue the mechanisms, to follow a change that has just been noted."""
        if self.tasks:
            await jobs.enqueue(
                session,
                tenant_id=scope.tenant_id,
                owner_id=scope.owner_id,
                kind="enrich",
                tasks=self.tasks,
                now=now,
                agent_id=agent_id,
                joins=True,
            )


NO_DERIVATIONS = Derivations()


async def add_derived(
    session: AsyncSession, scope: Scope, new: Sequence[DerivedMemory], *, now: datetime
) -> list[int]:
    """Insert memories made of others, with their sources; return their ordinals.

    They have no keys: recall finds them by their mechanism's own search only. Needs the owner's
    lock. Sources that were erased meanwhile must have been left out by the caller.
    """
    if not new:
        return []
    ordinals = list(await owners.take_ordinals(session, scope, len(new)))
    held = [
        NewMemory(
            ordinal=ordinal,
            id=new_id(),
            kind=one.kind,
            content=one.content,
            occurred_at=one.occurred_at,
            agent_id=one.agent_id,
            generated_by=one.generated_by,
            infer=False,
            metadata=one.metadata,
        )
        for ordinal, one in zip(ordinals, new, strict=True)
    ]
    await rows.insert(session, scope, held, now=now)
    pairs = [(o, source) for o, one in zip(ordinals, new, strict=True) for source in one.sources]
    await sources.add(session, scope, pairs)
    return ordinals


async def replace_derived(
    session: AsyncSession, scope: Scope, successors: Mapping[int, int]
) -> None:
    """Make derived memories tombstones that name what took their place; needs the owner's lock.

    Lists of what is live leave them out; by their ids they are still found.
    """
    if successors:
        await hidden.replace(session, scope, successors)


async def revive_derived(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Let tombstones stand again; needs the owner's lock."""
    if ordinals:
        await hidden.stand_again(session, scope, ordinals)


async def erase_derived(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Delete derived memories for ever; needs the owner's lock."""
    if ordinals:
        await key_rows.unindex(session, scope, ordinals)
        await rows.erase(session, scope, ordinals)


async def source_ordinals(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, list[int]]:
    """Return the ordinals of the memories that derived ones were made from."""
    return await sources.memories(session, scope, ordinals)


async def by_ordinals(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Sequence[Memory]:
    """Return memories by their ordinals, ascending, archived or not."""
    return await rows.by_ordinals(session, scope, sorted(set(ordinals)))


async def lexemes(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, set[str]]:
    """Return the stems in each live memory's keyword key (its turn, the turn before, its date)."""
    return await key_rows.lexemes(session, scope, ordinals)


async def document_frequencies(
    session: AsyncSession, scope: Scope, stems: Sequence[str]
) -> dict[str, int]:
    """Return in how many of the owner's keys each stem stands."""
    return await key_rows.document_frequencies(session, scope, stems)


async def reinforce(
    session: AsyncSession,
    scope: Scope,
    recalls: Sequence[tuple[int, datetime]],
    *,
    growth_days: float,
) -> None:
    """Strengthen live memories once for each recall, given as ordinal and moment.

    S grows by ``growth_days`` and t starts anew (MemoryBank).
    """
    if recalls:
        await rows.reinforce(session, scope, recalls, growth_days=growth_days)


async def own_vectors(
    session: AsyncSession, scope: Scope, table: ModelTable, ordinals: Sequence[int]
) -> dict[int, Vectors]:
    """Return the memories' own vectors [d] by ordinal; those without one yet are left out."""
    return await derived.of_memories(session, scope, table.model_id, ordinals)


async def put_vectors(
    session: AsyncSession,
    scope: Scope,
    table: ModelTable,
    space: str,
    ordinals: Sequence[int],
    vectors: Vectors,
) -> None:
    """Store or replace the vectors [n, d] of memories in a mechanism's space, such as ``note``."""
    if ordinals:
        await derived.put(session, scope, table.model_id, space, ordinals, vectors)


async def get_vectors(
    session: AsyncSession, scope: Scope, table: ModelTable, space: str, ordinals: Sequence[int]
) -> dict[int, Vectors]:
    """Return the vectors [d] of a mechanism's space by ordinal; missing ones are left out."""
    return await derived.get(session, scope, table.model_id, space, ordinals)


async def drop_vectors(
    session: AsyncSession, scope: Scope, table: ModelTable, space: str, ordinals: Sequence[int]
) -> None:
    """Delete vectors of a mechanism's space."""
    if ordinals:
        await derived.drop(session, scope, table.model_id, space, ordinals)


async def nearest(
    session: AsyncSession,
    scope: Scope,
    table: ModelTable,
    space: str,
    vectors: Vectors,
    *,
    k: int,
    but: Sequence[int] = (),
) -> list[list[Neighbour]]:
    """Return the ``k`` nearest live memories of a space to each of the vectors [n, d].

    Exact for small owners; above, by sign bits with an exact second look, where the embedder's
    bits are good enough.
    """
    if not len(vectors):
        return []
    is_large = scope.keys >= EXACT_BELOW and table.uses_bits
    return await derived.nearest(
        session,
        scope,
        table.model_id,
        space,
        vectors,
        k=k,
        but=but,
        bit_candidates=max(_BIT_CANDIDATES, 4 * k) if is_large else None,
    )
