"""Embedding models and their vectors; each model has three tables of its own."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from pgvector import HalfVector
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Embedded, Vectors
from app.kit.halfvecs import HalfVectors
from app.memories.models import EmbeddingModel
from app.tenants.schemas import Scope


class PendingKey(NamedTuple):
    """A key without a vector: a span of its memory's content, or a text of its own."""

    ordinal: int
    memory_ordinal: int
    start: int
    stop: int
    text: str | None


_ADD_MODEL = sa.text("SELECT add_derived_vectors(add_embedding_model(:name, :dimensions))")

_INSERT = """
    WITH stored AS (
        INSERT INTO embeddings_0 (owner_id, key_ordinal, vector)
        SELECT :owner_id, v.ordinal, v.vector
        FROM unnest(CAST(:ordinals AS integer[]), CAST(:vectors AS halfvec[]))
            AS v (ordinal, vector)
        -- The key may be gone or renewed since its text was read.
        JOIN memory_keys k ON k.owner_id = :owner_id AND k.ordinal = v.ordinal
        ON CONFLICT (owner_id, key_ordinal) DO UPDATE SET vector = excluded.vector
        RETURNING key_ordinal, vector
    ), late AS (  -- an index of neighbours knows another vector of them, or none
        INSERT INTO uncovered_keys (owner_id, model_id, key_ordinal)
        SELECT :owner_id, :model_id, s.key_ordinal
        FROM covered_keys c JOIN stored s ON s.key_ordinal BETWEEN c.lowest AND c.highest
        WHERE c.owner_id = :owner_id AND c.index_name = 'hnsw_0'
        ON CONFLICT DO NOTHING
    )
    INSERT INTO embedding_bits_0 (owner_id, key_ordinal, bits)
    SELECT :owner_id, key_ordinal, binary_quantize(vector) FROM stored
    ON CONFLICT (owner_id, key_ordinal) DO UPDATE SET bits = excluded.bits
"""

# The vector may be gone with its key since; then there is nothing to compare either.
_INSERT_TOKENS = """
    INSERT INTO token_bits_0 (owner_id, key_ordinal, bits)
    SELECT :owner_id, t.ordinal, t.bits
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:bits AS bytea[])) AS t (ordinal, bits)
    JOIN embeddings_0 e ON e.owner_id = :owner_id AND e.key_ordinal = t.ordinal
    ON CONFLICT (owner_id, key_ordinal) DO UPDATE SET bits = excluded.bits
"""

_MOST_TOKENS = 256
"""Of a key; what is behind is found by its vector and its words."""

_PENDING = """
    SELECT k.ordinal, k.memory_ordinal, k.start, k.stop, k.text
    FROM memory_keys k
    WHERE k.owner_id = :owner_id AND k.ordinal > :after
        AND NOT EXISTS (
            SELECT FROM embeddings_0 e
            LEFT JOIN token_bits_0 t ON t.owner_id = e.owner_id AND t.key_ordinal = e.key_ordinal
            WHERE e.owner_id = :owner_id AND e.key_ordinal = k.ordinal
                AND (t.key_ordinal IS NOT NULL OR NOT :with_tokens))
    ORDER BY k.ordinal LIMIT :limit
"""

_GAPS = sa.text("SELECT tenant_id, owner_id FROM embedding_gaps(:model_id, :most, :before)")

# 40 of the owner's own vectors as queries; their 20 exact neighbours against those found when
# the nearest 4 % by bits are re-ranked. `+ 0` keeps an index from answering in place of the scan.
_AGREEMENT = """
    WITH n AS (SELECT greatest(60, count(*) / 25) AS m FROM embeddings_0
               WHERE owner_id = :owner_id),
    query AS MATERIALIZED (
        SELECT key_ordinal, vector FROM embeddings_0 WHERE owner_id = :owner_id
        ORDER BY hashint4(key_ordinal) LIMIT 40)
    SELECT avg((
        SELECT count(*) / 20.0 FROM (
            SELECT e.key_ordinal FROM embeddings_0 e WHERE e.owner_id = :owner_id
                AND e.key_ordinal <> q.key_ordinal
            ORDER BY (e.vector <=> q.vector) + 0, e.key_ordinal LIMIT 20) exact
        JOIN (
            SELECT b.key_ordinal FROM embedding_bits_0 b WHERE b.owner_id = :owner_id
                AND b.key_ordinal <> q.key_ordinal
            ORDER BY (b.bits <~> binary_quantize(q.vector)) + 0
            LIMIT (SELECT m FROM n)) near USING (key_ordinal)))
    FROM query q
"""

_PENDING_OF = """
    SELECT DISTINCT k.memory_ordinal
    FROM memory_keys k
    WHERE k.owner_id = :owner_id
        AND (k.ordinal = ANY(CAST(:ordinals AS integer[]))
             OR k.ordinal < 0 AND k.memory_ordinal = ANY(CAST(:ordinals AS integer[])))
        AND NOT EXISTS (SELECT FROM embeddings_0 e
                        WHERE e.owner_id = :owner_id AND e.key_ordinal = k.ordinal)
"""


@cache
def of_model(statement: str, model_id: int) -> sa.TextClause:
    """Return a statement over the tables of one model; ``…_0`` stands for them."""
    number = str(int(model_id))
    named = statement.replace("embeddings_0", "embeddings_" + number)
    named = named.replace("token_bits_0", "token_bits_" + number)
    named = named.replace("hnsw_0", "hnsw_" + number)
    return sa.text(named.replace("embedding_bits_0", "embedding_bits_" + number))


async def models(session: AsyncSession) -> Sequence[EmbeddingModel]:
    """Return all embedding models, oldest first."""
    return (await session.scalars(sa.select(EmbeddingModel).order_by("model_id"))).all()


async def active_model(session: AsyncSession) -> EmbeddingModel | None:
    """Return the model that recall uses; ``None`` before the first vector."""
    statement = sa.select(EmbeddingModel).where(EmbeddingModel.state == "active")
    return (await session.scalars(statement)).one_or_none()


async def add_model(session: AsyncSession, name: str, dimensions: int) -> None:
    """Make the tables of a model, unless they are there; the first model is active."""
    await session.execute(_ADD_MODEL, {"name": name, "dimensions": dimensions})


def as_parameter(vector: Vectors) -> HalfVector:
    """Return a vector as a statement takes it. Shape [d]."""
    return HalfVector(vector)


async def store(
    session: AsyncSession, scope: Scope, model_id: int, ordinals: Sequence[int], found: Embedded
) -> None:
    """Store the vectors (and their bits) of keys, and the bits of their tokens if there are any."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    vectors = values | {"vectors": HalfVectors(found.vectors)}
    await session.execute(of_model(_INSERT, model_id), vectors | {"model_id": model_id})
    if found.tokens is not None:
        bits = {"bits": [one[:_MOST_TOKENS].tobytes() for one in found.tokens]}
        await session.execute(of_model(_INSERT_TOKENS, model_id), values | bits)


async def pending(
    session: AsyncSession,
    scope: Scope,
    model_id: int,
    *,
    after: int,
    limit: int,
    with_tokens: bool,
) -> list[PendingKey]:
    """Return keys behind ordinal ``after`` that lack a vector of this model, ascending.

    ``with_tokens``: or the bits of their tokens.
    """
    values = {
        "owner_id": scope.owner_id,
        "after": after,
        "limit": limit,
        "with_tokens": with_tokens,
    }
    found = await session.execute(of_model(_PENDING, model_id), values)
    return [PendingKey(*row) for row in found]


async def pending_memories(
    session: AsyncSession, scope: Scope, model_id: int | None, ordinals: Sequence[int]
) -> set[int]:
    """Return those of the memories that are not yet searchable by vector."""
    if model_id is None:
        return set(ordinals)
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return set((await session.scalars(of_model(_PENDING_OF, model_id), values)).all())


async def set_state(session: AsyncSession, model_id: int, state: str) -> None:
    """Set the state of a model."""
    statement = sa.update(EmbeddingModel).where(EmbeddingModel.model_id == model_id)
    await session.execute(statement.values(state=state))


async def set_bits(
    session: AsyncSession, model_id: int, *, agreement: float, uses_bits: bool
) -> None:
    """Let recall scan this model's bits, or not, and keep the figure that decided."""
    statement = sa.update(EmbeddingModel).where(EmbeddingModel.model_id == model_id)
    await session.execute(statement.values(bit_agreement=agreement, uses_bits=uses_bits))


async def gaps(
    session: AsyncSession, model_id: int, *, most: int, before: datetime
) -> list[tuple[UUID, int]]:
    """Return tenant and owner of keys (of any tenant) that lack a vector of this model.

    Only memories written ``before`` count.
    """
    values = {"model_id": model_id, "most": most, "before": before}
    found = await session.execute(_GAPS, values)
    return [(row.tenant_id, row.owner_id) for row in found]


async def bit_agreement(session: AsyncSession, scope: Scope, model_id: int) -> float | None:
    """Return the share of exact neighbours among the nearest bits, in [0, 1]."""
    found = await session.execute(of_model(_AGREEMENT, model_id), {"owner_id": scope.owner_id})
    share = found.scalar_one()
    return None if share is None else float(share)
