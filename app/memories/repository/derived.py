"""Vectors of what mechanisms make of memories: notes, thoughts. One table per embedding model."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings import kernel
from app.embeddings.protocol import Vectors
from app.kit.halfvecs import HalfVectors
from app.tenants.schemas import Scope

_PUT = """
    INSERT INTO derived_vectors_0 (owner_id, space, ordinal, vector, bits)
    SELECT :owner_id, :space, v.ordinal, v.vector, binary_quantize(v.vector)
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:vectors AS halfvec[])) AS v (ordinal, vector)
    -- By key: behind row-level security the planner would rather read all of an owner.
    CROSS JOIN LATERAL (
        SELECT FROM memories m WHERE m.owner_id = :owner_id AND m.ordinal = v.ordinal OFFSET 0) m
    ON CONFLICT (owner_id, space, ordinal)
    DO UPDATE SET vector = excluded.vector, bits = excluded.bits
"""

# `halfvec_send` gives the bytes of the vector; its text would take far longer to read.
_GET = """
    SELECT ordinal, halfvec_send(vector) AS vector FROM derived_vectors_0
    WHERE owner_id = :owner_id AND space = :space AND ordinal = ANY(CAST(:ordinals AS integer[]))
"""

_DROP = """
    DELETE FROM derived_vectors_0
    WHERE owner_id = :owner_id AND space = :space AND ordinal = ANY(CAST(:ordinals AS integer[]))
"""

# A memory's own vector: that of its first key, which has its ordinal.
_OF_MEMORIES = """
    SELECT key_ordinal AS ordinal, halfvec_send(vector) AS vector FROM embeddings_0
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


# For many vectors at once a space is read once, and compared here rather than row by row there.
_ALL_VECTORS = """
    SELECT string_agg(int4send(v.ordinal), CAST('' AS bytea)),
        string_agg(halfvec_send(v.vector), CAST('' AS bytea))
    FROM derived_vectors_0 v
    JOIN memories m ON m.owner_id = v.owner_id AND m.ordinal = v.ordinal
        AND m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
    WHERE v.owner_id = :owner_id AND v.space = :space
"""

_ALL_BITS = """
    SELECT string_agg(int4send(ordinal), CAST('' AS bytea)),
        string_agg(bit_send(bits), CAST('' AS bytea))
    FROM derived_vectors_0 WHERE owner_id = :owner_id AND space = :space
"""

_SOME_VECTORS = """
    SELECT string_agg(int4send(c.ordinal), CAST('' AS bytea)),
        string_agg(halfvec_send(v.vector), CAST('' AS bytea))
    FROM unnest(CAST(:ordinals AS integer[])) AS c (ordinal)
    CROSS JOIN LATERAL (
        SELECT vector FROM derived_vectors_0
        WHERE owner_id = :owner_id AND space = :space AND ordinal = c.ordinal OFFSET 0) v
    CROSS JOIN LATERAL (
        SELECT 1 FROM memories WHERE owner_id = :owner_id AND ordinal = c.ordinal
            AND archived_at IS NULL AND (expires_at IS NULL OR expires_at > now()) OFFSET 0) m
"""

_MANY = 8
"""Vectors from which reading the whole space once is faster than scanning it for each."""


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
        "vectors": HalfVectors(vectors),
    }
    await session.execute(_of_model(_PUT, model_id), values)


async def get(
    session: AsyncSession, scope: Scope, model_id: int, space: str, ordinals: Sequence[int]
) -> dict[int, Vectors]:
    """Return vectors of a space by ordinal; those that are not there are left out."""
    values = {"owner_id": scope.owner_id, "space": space, "ordinals": list(ordinals)}
    rows = await session.execute(_of_model(_GET, model_id), values)
    return {row.ordinal: _vectors(row.vector, 1)[0] for row in rows}


async def of_memories(
    session: AsyncSession, scope: Scope, model_id: int, ordinals: Sequence[int]
) -> dict[int, Vectors]:
    """Return the memories' own vectors by ordinal; those without one yet are left out."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    rows = await session.execute(_of_model(_OF_MEMORIES, model_id), values)
    return {row.ordinal: _vectors(row.vector, 1)[0] for row in rows}


async def drop(
    session: AsyncSession, scope: Scope, model_id: int, space: str, ordinals: Sequence[int]
) -> None:
    """Delete vectors of a space."""
    values = {"owner_id": scope.owner_id, "space": space, "ordinals": list(ordinals)}
    await session.execute(_of_model(_DROP, model_id), values)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where vectors lie."""

    owner_id: int
    model_id: int
    space: str

    def values(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401  -- bound values
        return {"owner_id": self.owner_id, "space": self.space, **more}


def _vectors(sent: bytes, count: int) -> Vectors:
    """Read ``count`` vectors as Postgres sends them: two lengths of 2 bytes, then half floats."""
    if not count:
        return np.zeros((0, 0), np.float32)
    rows = np.frombuffer(sent, ">f2").reshape(count, -1)[:, 2:]
    found: Vectors = rows.astype(np.float32)
    return found


async def _gather(
    session: AsyncSession, where: _Place, statement: str, **values: object
) -> tuple[NDArray[np.int32], bytes]:
    """Return the ordinals that a statement finds, and what else it gathers of them."""
    rows = await session.execute(_of_model(statement, where.model_id), where.values(**values))
    ordinals, gathered = rows.one()
    return np.frombuffer(ordinals or b"", ">i4").astype(np.int32), gathered or b""


async def _nearest_of_all(
    session: AsyncSession, where: _Place, vectors: Vectors, *, k: int, but: Sequence[int]
) -> list[list[Neighbour]]:
    ordinals, gathered = await _gather(session, where, _ALL_VECTORS)
    if not len(ordinals):
        return [[] for _ in vectors]
    held = _vectors(gathered, len(ordinals))
    kept = np.flatnonzero(~np.isin(ordinals, list(but)))
    return _neighbours(kernel.nearest(held[kept], ordinals[kept], vectors, k=k))


async def _nearest_by_bits(
    session: AsyncSession,
    where: _Place,
    vectors: Vectors,
    *,
    k: int,
    but: Sequence[int],
    candidates: int,
) -> list[list[Neighbour]]:
    """Return of each vector's candidates by sign bits the nearest live ones."""
    ordinals, gathered = await _gather(session, where, _ALL_BITS)
    if not len(ordinals):
        return [[] for _ in vectors]
    # Each value is preceded by its length in bits, in 4 bytes.
    bits = np.frombuffer(gathered, np.uint8).reshape(len(ordinals), -1)[:, 4:]
    kept = np.flatnonzero(~np.isin(ordinals, list(but)))
    near = await asyncio.to_thread(
        kernel.nearest_by_bits, bits[kept], ordinals[kept], vectors, k=candidates
    )
    asked = np.unique(np.concatenate(near)).tolist()
    present, gathered = await _gather(session, where, _SOME_VECTORS, ordinals=asked)
    held = _vectors(gathered, len(present))
    found: list[list[Neighbour]] = []
    for vector, row in zip(vectors, near, strict=True):
        own = np.flatnonzero(np.isin(present, row))
        found += _neighbours(kernel.nearest(held[own], present[own], vector[None, :], k=k))
    return found


def _neighbours(
    found: tuple[NDArray[np.int32], NDArray[np.float32]],
) -> list[list[Neighbour]]:
    return [
        [Neighbour(*one) for one in zip(ordinals.tolist(), cosines.tolist(), strict=True)]
        for ordinals, cosines in zip(*found, strict=True)
    ]


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
    where = _Place(scope.owner_id, model_id, space)
    if len(vectors) >= _MANY:
        if bit_candidates is None:
            return await _nearest_of_all(session, where, vectors, k=k, but=but)
        return await _nearest_by_bits(
            session, where, vectors, k=k, but=but, candidates=bit_candidates
        )
    values = {
        "owner_id": scope.owner_id,
        "space": space,
        "vectors": HalfVectors(vectors),
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
