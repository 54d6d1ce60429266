"""Vectors of what mechanisms make of memories: notes, thoughts. One table per embedding model."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from pgvector import HalfVector
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.tenants.schemas import Scope

_PUT = """
    INSERT INTO derived_vectors_0 (owner_id, space, ordinal, vector, bits)
    SELECT :owner_id, :space, v.ordinal, v.vector, binary_quantize(v.vector)
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:vectors AS halfvec[])) AS v (ordinal, vector)
    JOIN memories m ON m.owner_id = :owner_id AND m.ordinal = v.ordinal
    ON CONFLICT (owner_id, space, ordinal)
    DO UPDATE SET vector = excluded.vector, bits = excluded.bits
"""

_GET = """
    SELECT ordinal, vector FROM derived_vectors_0
    WHERE owner_id = :owner_id AND space = :space AND ordinal = ANY(CAST(:ordinals AS integer[]))
"""

_DROP = """
    DELETE FROM derived_vectors_0
    WHERE owner_id = :owner_id AND space = :space AND ordinal = ANY(CAST(:ordinals AS integer[]))
"""

# A memory's own vector: that of its first key, which has its ordinal.
_OF_MEMORIES = """
    SELECT key_ordinal AS ordinal, vector FROM embeddings_0
    WHERE owner_id = :owner_id AND key_ordinal = ANY(CAST(:ordinals AS integer[]))
"""

# `+ 0` keeps an approximate index from answering; OFFSET 0 fences the subqueries.
_NEAREST_EXACT = """
    SELECT q.no, n.ordinal, 1 - n.d AS cosine
    FROM unnest(CAST(:vectors AS halfvec[])) WITH ORDINALITY AS q (vector, no)
    CROSS JOIN LATERAL (
        SELECT v.ordinal, (v.vector <=> q.vector) + 0 AS d FROM derived_vectors_0 v
        JOIN memories m ON m.owner_id = v.owner_id AND m.ordinal = v.ordinal
            AND m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
        WHERE v.owner_id = :owner_id AND v.space = :space
            AND v.ordinal <> ALL(CAST(:but AS integer[]))
        ORDER BY 2, 1 LIMIT :k OFFSET 0) n
    ORDER BY q.no, n.d, n.ordinal
"""

_NEAREST_BITS = """
    SELECT q.no, n.ordinal, 1 - n.d AS cosine
    FROM unnest(CAST(:vectors AS halfvec[])) WITH ORDINALITY AS q (vector, no)
    CROSS JOIN LATERAL (
        SELECT c.ordinal, (v.vector <=> q.vector) + 0 AS d
        FROM (
            SELECT b.ordinal FROM derived_vectors_0 b
            WHERE b.owner_id = :owner_id AND b.space = :space
                AND b.ordinal <> ALL(CAST(:but AS integer[]))
            ORDER BY (b.bits <~> binary_quantize(q.vector)) + 0, b.ordinal
            LIMIT :bit_candidates OFFSET 0) c
        JOIN derived_vectors_0 v
            ON v.owner_id = :owner_id AND v.space = :space AND v.ordinal = c.ordinal
        JOIN memories m ON m.owner_id = :owner_id AND m.ordinal = c.ordinal
            AND m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
        ORDER BY 2, 1 LIMIT :k OFFSET 0) n
    ORDER BY q.no, n.d, n.ordinal
"""


class Neighbour(NamedTuple):
    """A memory near a vector, and the cosine of both."""

    ordinal: int
    cosine: float


@cache
def _of_model(statement: str, model_id: int) -> sa.TextClause:
    """Return a statement over the tables of one model; ``…_0`` stands for them."""
    number = str(int(model_id))
    named = statement.replace("derived_vectors_0", "derived_vectors_" + number)
    return sa.text(named.replace("embeddings_0", "embeddings_" + number))


async def put(
    session: AsyncSession,
    scope: Scope,
    model_id: int,
    space: str,
    ordinals: Sequence[int],
    vectors: Vectors,
) -> None:
    """Store or replace vectors of memories in a space. Shape of ``vectors``: [len(ordinals), d]."""
    values = {
        "owner_id": scope.owner_id,
        "space": space,
        "ordinals": list(ordinals),
        "vectors": [HalfVector(vector) for vector in vectors],
    }
    await session.execute(_of_model(_PUT, model_id), values)


async def get(
    session: AsyncSession, scope: Scope, model_id: int, space: str, ordinals: Sequence[int]
) -> dict[int, Vectors]:
    """Return vectors of a space by ordinal; those that are not there are left out."""
    values = {"owner_id": scope.owner_id, "space": space, "ordinals": list(ordinals)}
    rows = await session.execute(_of_model(_GET, model_id), values)
    return {row.ordinal: row.vector.to_numpy().astype(np.float32) for row in rows}


async def of_memories(
    session: AsyncSession, scope: Scope, model_id: int, ordinals: Sequence[int]
) -> dict[int, Vectors]:
    """Return the memories' own vectors by ordinal; those without one yet are left out."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    rows = await session.execute(_of_model(_OF_MEMORIES, model_id), values)
    return {row.ordinal: row.vector.to_numpy().astype(np.float32) for row in rows}


async def drop(
    session: AsyncSession, scope: Scope, model_id: int, space: str, ordinals: Sequence[int]
) -> None:
    """Delete vectors of a space."""
    values = {"owner_id": scope.owner_id, "space": space, "ordinals": list(ordinals)}
    await session.execute(_of_model(_DROP, model_id), values)


async def nearest(  # noqa: PLR0913  -- one call, plain facts
    session: AsyncSession,
    scope: Scope,
    model_id: int,
    space: str,
    vectors: Vectors,
    *,
    k: int,
    but: Sequence[int] = (),
    bit_candidates: int | None = None,
) -> list[list[Neighbour]]:
    """Return the ``k`` nearest live memories of a space to each vector, nearest first.

    With ``bit_candidates`` the scan compares sign bits and re-ranks that many exactly; without,
    it is exact. Shape of ``vectors``: [n, d]; the answer has n lists.
    """
    values = {
        "owner_id": scope.owner_id,
        "space": space,
        "vectors": [HalfVector(vector) for vector in vectors],
        "k": k,
        "but": list(but),
    }
    statement = _NEAREST_EXACT
    if bit_candidates is not None:
        statement, values["bit_candidates"] = _NEAREST_BITS, bit_candidates
    found: list[list[Neighbour]] = [[] for _ in vectors]
    for row in await session.execute(_of_model(statement, model_id), values):
        found[row.no - 1].append(Neighbour(row.ordinal, float(row.cosine)))
    return found
