"""The recipe ``thoughts``: the hits of ``default``, and what the nearest thoughts stand on."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.memories.service import ModelTable
from app.retrieval.kernel import thoughts as kernel
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.repository import linked as rows
from app.retrieval.repository.filters import Narrowing
from app.retrieval.service.held import candidate_of
from app.tenants.schemas import Scope
from app.thoughts import service as thoughts

_PER_HIT = 2
"""Thoughts looked at for each hit that is wanted."""
_PROBES = 12
"""Buckets looked into: a question is farther from its thoughts than these are from each other."""


async def with_thoughts(  # noqa: PLR0913  -- one call, plain facts
    session: AsyncSession,
    scope: Scope,
    hits: Sequence[Candidate],
    narrowing: Narrowing,
    *,
    vector: Vectors,
    table: ModelTable,
    limit: int,
    now: datetime,
) -> list[Candidate]:
    """Return hits and the sources of the ``2 limit`` nearest thoughts, best first.

    Sources pass the same narrowing. Shape of ``vector``: [d].
    """
    found = await thoughts.nearest(
        session,
        scope,
        table,
        vector,
        limit=_PER_HIT * limit,
        agent_id=narrowing.agent_id,
        probes=_PROBES,
        now=now,
    )
    sources = [ordinal for one in found for ordinal in one.source_ordinals]
    held = {hit.ordinal: hit for hit in hits}
    further = sorted(set(sources) - set(held))
    if further:
        passing = await rows.passing(session, scope, further, narrowing, now=now)
        held |= {memory.ordinal: candidate_of(memory) for memory in passing}
    ranked = [ordinal for ordinal in sources if ordinal in held]
    fused = kernel.fuse({hit.ordinal: hit.score for hit in hits}, ranked)
    places = {ordinal: place for place, ordinal in enumerate(dict.fromkeys(ranked), 1)}
    return [
        held[ordinal]._replace(score=score, thought_rank=places.get(ordinal))
        for ordinal, score in fused
    ]
