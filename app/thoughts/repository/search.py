"""Thoughts found: by vector in their buckets, by list, and by what lies beside them in a bucket.

Statements name ``derived_vectors_0``, which stands for the table of the active embedding model.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from pgvector import HalfVector
from sqlalchemy.ext.asyncio import AsyncSession

from app.tenants.schemas import Scope
from app.thoughts.kernel.organising import NEAR, Member
from app.thoughts.kernel.triples import normalised
from app.thoughts.schemas import SPACE, Found, Listing, Search

# The buckets first, the cosine inside them; `+ 0` keeps an approximate index from answering. A
# source may be archived, or expire, a moment before its thoughts are taken back.
_RECALL = """
    SELECT * FROM (
        SELECT t.memory_ordinal AS ordinal, m.id, m.content AS text, t.head, t.relation, t.tails,
            t.status, t.valid_from, t.valid_to, m.generated_by,
            1 - ((v.vector <=> CAST(:vector AS halfvec)) + 0) AS score
        FROM thoughts t
        JOIN derived_vectors_0 v ON v.owner_id = :owner_id AND v.space = :space
            AND v.ordinal = t.memory_ordinal
        JOIN memories m ON m.owner_id = :owner_id AND m.ordinal = t.memory_ordinal
        WHERE t.owner_id = :owner_id AND t.hash_version = :hash_version
            AND t.bucket = ANY(CAST(:buckets AS smallint[]))
            AND t.status = ANY(CAST(:statuses AS text[]))
            AND (CAST(:agent_id AS text) IS NULL OR t.agent_id = :agent_id)
            AND m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > :now)
            AND NOT EXISTS (
                SELECT FROM memory_sources s
                JOIN memories o ON o.owner_id = s.owner_id AND o.ordinal = s.source_ordinal
                WHERE s.owner_id = :owner_id AND s.memory_ordinal = t.memory_ordinal
                    AND (o.archived_at IS NOT NULL OR o.expires_at <= :now))) found
    ORDER BY score DESC, ordinal LIMIT :limit
"""

_PAGE = sa.text("""
    SELECT t.memory_ordinal AS ordinal, m.id, m.content AS text, t.head, t.relation, t.tails,
        t.status, t.valid_from, t.valid_to, m.generated_by, CAST(0 AS float8) AS score
    FROM thoughts t
    JOIN memories m ON m.owner_id = :owner_id AND m.ordinal = t.memory_ordinal
    WHERE t.owner_id = :owner_id AND t.status = ANY(CAST(:statuses AS text[]))
        AND (CAST(:agent_id AS text) IS NULL OR t.agent_id = :agent_id)
        AND (CAST(:head AS text) IS NULL OR t.head_key = :head)
        AND (CAST(:relation AS text) IS NULL OR t.relation_key = :relation)
        AND (CAST(:before AS integer) IS NULL OR t.memory_ordinal < :before)
        AND m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > :now)
        AND NOT EXISTS (
            SELECT FROM memory_sources s
            JOIN memories o ON o.owner_id = s.owner_id AND o.ordinal = s.source_ordinal
            WHERE s.owner_id = :owner_id AND s.memory_ordinal = t.memory_ordinal
                AND (o.archived_at IS NOT NULL OR o.expires_at <= :now))
    ORDER BY t.memory_ordinal DESC LIMIT :limit
""")

# A thought stands on its own sources, and on those of all that says the same.
_SOURCES = sa.text("""
    WITH RECURSIVE tree (root, ordinal) AS (
        SELECT o.ordinal, o.ordinal FROM unnest(CAST(:ordinals AS integer[])) AS o (ordinal)
        UNION
        SELECT tree.root, t.memory_ordinal FROM tree
        JOIN thoughts t ON t.owner_id = :owner_id AND t.replaced_by = tree.ordinal
            AND t.status = 'merged'
    )
    SELECT DISTINCT tree.root, o.ordinal, o.id
    FROM tree
    JOIN memory_sources s ON s.owner_id = :owner_id AND s.memory_ordinal = tree.ordinal
    JOIN memories o ON o.owner_id = :owner_id AND o.ordinal = s.source_ordinal
    WHERE o.archived_at IS NULL AND (o.expires_at IS NULL OR o.expires_at > :now)
    ORDER BY tree.root, o.ordinal
""")

_MADE_OF = sa.text("""
    SELECT DISTINCT t.memory_ordinal
    FROM memory_sources s
    JOIN thoughts t ON t.owner_id = s.owner_id AND t.memory_ordinal = s.memory_ordinal
    WHERE s.owner_id = :owner_id AND s.source_ordinal = ANY(CAST(:ordinals AS integer[]))
    ORDER BY 1
""")

_FRESH = sa.text("""
    SELECT t.memory_ordinal
    FROM thoughts t
    JOIN memories m ON m.owner_id = :owner_id AND m.ordinal = t.memory_ordinal
    WHERE t.owner_id = :owner_id AND NOT t.is_organised AND t.status = 'active'
        AND t.hash_version = :hash_version AND m.archived_at IS NULL
    ORDER BY t.bucket, t.memory_ordinal LIMIT :limit
""")

_PARTNERS = sa.text("""
    SELECT DISTINCT t.memory_ordinal
    FROM (SELECT DISTINCT bucket, head_key, relation_key FROM thoughts
          WHERE owner_id = :owner_id AND memory_ordinal = ANY(CAST(:ordinals AS integer[]))
              AND relation_key IS NOT NULL) f
    JOIN thoughts t ON t.owner_id = :owner_id AND t.head_key = f.head_key
        AND t.relation_key = f.relation_key AND t.bucket = f.bucket AND t.status = 'active'
        AND t.hash_version = :hash_version
    ORDER BY 1
""")

_BUCKETS = sa.text("""
    SELECT memory_ordinal FROM thoughts
    WHERE owner_id = :owner_id AND hash_version = :hash_version AND status = 'active'
        AND bucket = ANY(CAST(:buckets AS smallint[]))
    ORDER BY is_organised, memory_ordinal DESC LIMIT :limit
""")

_MEMBERS = sa.text("""
    SELECT t.memory_ordinal AS ordinal, t.bucket, t.agent_id, t.head, t.relation, t.tails,
        m.content AS text, t.valid_from
    FROM thoughts t
    JOIN memories m ON m.owner_id = :owner_id AND m.ordinal = t.memory_ordinal
    WHERE t.owner_id = :owner_id AND t.memory_ordinal = ANY(CAST(:ordinals AS integer[]))
        AND t.status = 'active' AND m.archived_at IS NULL
    ORDER BY 1
""")

# Vectors at cosine .95 differ in a tenth of their sign bits: far fewer than a fifth, the sieve.
_NEAR = """
    WITH fresh AS MATERIALIZED (
        SELECT t.memory_ordinal AS ordinal, t.bucket, t.head_key, v.vector, v.bits
        FROM thoughts t
        JOIN derived_vectors_0 v ON v.owner_id = :owner_id AND v.space = :space
            AND v.ordinal = t.memory_ordinal
        WHERE t.owner_id = :owner_id AND t.memory_ordinal = ANY(CAST(:ordinals AS integer[]))
    ), beside AS MATERIALIZED (
        SELECT t.memory_ordinal AS ordinal, t.bucket, t.head_key, v.bits
        FROM thoughts t
        JOIN derived_vectors_0 v ON v.owner_id = :owner_id AND v.space = :space
            AND v.ordinal = t.memory_ordinal
        WHERE t.owner_id = :owner_id AND t.hash_version = :hash_version AND t.status = 'active'
            AND t.bucket IN (SELECT bucket FROM fresh)
    ), sieved AS MATERIALIZED (
        SELECT fresh.ordinal, fresh.vector, beside.ordinal AS other
        FROM fresh JOIN beside USING (bucket, head_key)
        WHERE beside.ordinal <> fresh.ordinal
            AND (beside.bits <~> fresh.bits) <= length(fresh.bits) / 5
    )
    SELECT sieved.ordinal, sieved.other
    FROM sieved
    JOIN derived_vectors_0 v ON v.owner_id = :owner_id AND v.space = :space
        AND v.ordinal = sieved.other
    WHERE 1 - (v.vector <=> sieved.vector) >= :near
    ORDER BY 1, 2
"""


@cache
def _of_model(statement: str, model_id: int) -> sa.TextClause:
    """Return a statement over the vectors of one model; ``…_0`` stands for their table."""
    return sa.text(statement.replace("derived_vectors_0", "derived_vectors_" + str(int(model_id))))


async def recall(session: AsyncSession, scope: Scope, asked: Search) -> list[Found]:
    """Return the thoughts of some buckets that are nearest to a vector, nearest first."""
    values = {
        "owner_id": scope.owner_id,
        "space": SPACE,
        "vector": HalfVector(asked.vector),
        "hash_version": asked.hash_version,
        "buckets": list(asked.buckets),
        "statuses": _statuses(with_forgotten=asked.with_forgotten),
        "agent_id": asked.agent_id,
        "now": asked.now,
        "limit": asked.limit,
    }
    rows = await session.execute(_of_model(_RECALL, asked.model_id), values)
    return await _with_sources(session, scope, rows.mappings(), values)


async def page(session: AsyncSession, scope: Scope, asked: Listing) -> list[Found]:
    """Return an owner's thoughts, newest first."""
    values = {
        "owner_id": scope.owner_id,
        "statuses": _statuses(with_forgotten=asked.with_forgotten),
        "agent_id": asked.agent_id,
        "now": asked.now,
        "head": None if asked.head is None else normalised(asked.head),
        "relation": None if asked.relation is None else normalised(asked.relation),
        "before": asked.before,
        "limit": asked.limit,
    }
    rows = await session.execute(_PAGE, values)
    return await _with_sources(session, scope, rows.mappings(), values)


def _statuses(*, with_forgotten: bool) -> list[str]:
    return ["active", "forgotten"] if with_forgotten else ["active"]


async def _with_sources(
    session: AsyncSession, scope: Scope, rows: sa.MappingResult, values: dict[str, Any]
) -> list[Found]:
    found = [Found(**row) for row in rows]
    asked = {
        "owner_id": scope.owner_id,
        "ordinals": [one.ordinal for one in found],
        "now": values["now"],
    }
    sources: dict[int, list[tuple[int, Any]]] = {}
    if found:
        for root, ordinal, memory_id in await session.execute(_SOURCES, asked):
            sources.setdefault(root, []).append((ordinal, memory_id))
    return [
        replace(
            one,
            source_ordinals=tuple(ordinal for ordinal, _ in sources.get(one.ordinal, ())),
            source_ids=tuple(memory_id for _, memory_id in sources.get(one.ordinal, ())),
        )
        for one in found
    ]


async def fresh(session: AsyncSession, scope: Scope, hash_version: int, *, limit: int) -> list[int]:
    """Return active thoughts that were not organised since they changed, by bucket."""
    values = {"owner_id": scope.owner_id, "hash_version": hash_version, "limit": limit}
    return list((await session.scalars(_FRESH, values)).all())


async def partners(
    session: AsyncSession, scope: Scope, hash_version: int, ordinals: Sequence[int]
) -> list[int]:
    """Return the active thoughts of the same buckets with the same head and relation."""
    values = {
        "owner_id": scope.owner_id,
        "hash_version": hash_version,
        "ordinals": list(ordinals),
    }
    return list((await session.scalars(_PARTNERS, values)).all())


async def in_buckets(
    session: AsyncSession, scope: Scope, hash_version: int, buckets: Sequence[int], *, limit: int
) -> list[int]:
    """Return active thoughts of some buckets: those to be organised, then the newest."""
    values = {
        "owner_id": scope.owner_id,
        "hash_version": hash_version,
        "buckets": list(buckets),
        "limit": limit,
    }
    return list((await session.scalars(_BUCKETS, values)).all())


async def members(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> list[Member]:
    """Return those of the thoughts that are active now, ascending."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    rows = (await session.execute(_MEMBERS, values)).mappings()
    return [Member(**{**row, "tails": tuple(row["tails"])}) for row in rows]


async def near(
    session: AsyncSession, scope: Scope, model_id: int, hash_version: int, ordinals: Sequence[int]
) -> list[tuple[int, int]]:
    """Return pairs of near duplicates, within buckets and heads: one of ``ordinals``, another."""
    values = {
        "owner_id": scope.owner_id,
        "space": SPACE,
        "hash_version": hash_version,
        "ordinals": list(ordinals),
        "near": NEAR,
    }
    rows = await session.execute(_of_model(_NEAR, model_id), values)
    return [(row.ordinal, row.other) for row in rows]


async def made_of(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> list[int]:
    """Return the thoughts whose text is made of any of these memories, ascending."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return list((await session.scalars(_MADE_OF, values)).all())
