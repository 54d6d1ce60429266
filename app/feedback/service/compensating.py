"""What an owner's votes say of the candidates of a recall."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.feedback import kernel
from app.feedback import repository as rows
from app.feedback.kernel import Vote
from app.feedback.schemas import Near
from app.memories import service as memories
from app.memories.service import ModelTable
from app.tenants.schemas import Scope

_LEAST_COSINE = 0.2
"""Of queries; below, a vote weighs less than two thousandths."""
_DAY = timedelta(days=1)


async def compensations(
    session: AsyncSession,
    scope: Scope,
    table: ModelTable,
    query: Vectors,
    ordinals: Sequence[int],
    *,
    now: datetime,
) -> dict[int, float]:
    """Return what is to be added to scores of memories, by ordinal; those without votes are out.

    Shape of ``query``: [d].
    """
    near = await rows.near(session, scope, table.model_id, query, least=_LEAST_COSINE)
    if not near or not ordinals:
        return {}
    voted = sorted({one.memory_ordinal for one in near})
    asked = sorted({*voted, *ordinals})
    vectors = await memories.own_vectors(session, scope, table, asked)
    found: dict[int, float] = {}
    for ordinal in ordinals:
        alike = _alike(ordinal, voted, vectors)
        votes = [_vote(one, now) for one in near if one.memory_ordinal in alike]
        if votes:
            found[ordinal] = kernel.compensation(votes)
    return found


def _alike(ordinal: int, voted: Sequence[int], vectors: dict[int, Vectors]) -> set[int]:
    """Return those of the memories voted on that a memory is, or is much like."""
    found = {ordinal} & set(voted)
    own = vectors.get(ordinal)
    if own is not None:
        others = [other for other in voted if other in vectors]
        if others:
            cosines = np.stack([vectors[other] for other in others]) @ own
            found |= {o for o, cosine in zip(others, cosines, strict=True)
                      if cosine >= kernel.ALIKE}  # fmt: skip
    return found


def _vote(one: Near, now: datetime) -> Vote:
    return Vote(one.error, kernel.weight(one.cosine, (now - one.at) / _DAY))
