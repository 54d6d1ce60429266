"""The recipe ``linked``: notes have a say in what the hits are; behind them come their links."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.linking import service as linking
from app.memories.service import ModelTable
from app.retrieval.kernel import linked as kernel
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.linked import Step
from app.retrieval.kernel.scoring import relevance
from app.retrieval.repository import linked as rows
from app.retrieval.repository.filters import Narrowing
from app.retrieval.service.held import candidate_of
from app.tenants.schemas import Scope


async def near_the_best(
    session: AsyncSession, scope: Scope, found: Sequence[Candidate], table: ModelTable
) -> list[Candidate]:
    """Return candidates after those have gained whose notes are near those of the best."""
    ordinals = [one.ordinal for one in found]
    notes = await linking.note_vectors(session, scope, table, ordinals)
    return kernel.near_the_best(found, notes)


async def linked_to(
    session: AsyncSession,
    scope: Scope,
    hits: Sequence[Candidate],
    narrowing: Narrowing,
    *,
    now: datetime,
) -> list[Candidate]:
    """Return the memories that are linked to the hits, best first, at most as many as these.

    They pass the same narrowing; each names the hit that leads to it.
    """
    by_ordinal = {hit.ordinal: hit for hit in hits}
    if not by_ordinal:
        return []
    links = await linking.linked_to(session, scope, list(by_ordinal), now=now)
    steps = [Step(one.source, one.target, one.weight) for one in links]
    found = kernel.beyond({hit.ordinal: relevance(hit) for hit in hits}, steps)
    passing = await rows.passing(session, scope, [one.ordinal for one in found], narrowing, now=now)
    held = {memory.ordinal: memory for memory in passing}
    return [
        candidate_of(
            held[one.ordinal],
            score=one.score,
            linked_from=by_ordinal[one.linked_from].id,
            link_weight=one.weight,
        )
        for one in found
        if one.ordinal in held
    ][: len(hits)]
