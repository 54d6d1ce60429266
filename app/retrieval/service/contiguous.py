"""The recipe ``contiguous``: most hits by similarity, the rest are the turns beside them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.retrieval.kernel import contiguous as kernel
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.scoring import relevance
from app.retrieval.repository import linked as rows
from app.retrieval.repository import neighbours
from app.retrieval.repository.filters import Narrowing
from app.retrieval.service.held import candidate_of
from app.tenants.schemas import Scope


async def beside(
    session: AsyncSession,
    scope: Scope,
    hits: Sequence[Candidate],
    narrowing: Narrowing,
    *,
    limit: int,
    now: datetime,
) -> list[Candidate]:
    """Return the turns beside the best hits, as many as the recipe has room for.

    They pass the same narrowing; each names the hit that it stands beside.
    """
    best = {hit.ordinal: hit for hit in hits[: kernel.similar(limit)]}
    if not best or len(best) >= limit:
        return []
    around = await neighbours.beside(session, scope, list(best), now=now)
    found = kernel.neighbours(list(best), around, most=2 * len(best))
    ordinals = [ordinal for ordinal, _ in found]
    passing = await rows.passing(session, scope, ordinals, narrowing, now=now)
    held = {memory.ordinal: memory for memory in passing}
    return [
        candidate_of(
            held[ordinal],
            score=kernel.WEIGHT * relevance(best[hit]),
            neighbour_of=best[hit].id,
        )
        for ordinal, hit in found
        if ordinal in held
    ][: limit - len(best)]


def joined(
    hits: Sequence[Candidate], beside_them: Sequence[Candidate], *, limit: int
) -> list[Candidate]:
    """Return hits and, behind them, their neighbours.

    A hit that is a neighbour, too, keeps its score. Where there are not enough neighbours, further
    hits take their places.
    """
    found = {one.ordinal: one for one in hits[kernel.similar(limit) :]}
    marked = [
        found.pop(one.ordinal)._replace(neighbour_of=one.neighbour_of)
        if one.ordinal in found
        else one
        for one in beside_them
    ]
    best = hits[: kernel.similar(limit)]
    room = limit - len(best) - len(marked)
    return [*best, *list(found.values())[:room], *marked]
