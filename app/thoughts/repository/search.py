"""Thoughts found: by vector in their buckets, by list, and by what lies beside them in a bucket.

Statements name ``derived_vectors_0``, which stands for the table of the active embedding model.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from pgvector import HalfVector
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.statements import head_key, relation_key
from app.tenants.schemas import Scope
from app.thoughts.kernel.organising import NEAR, Member
from app.thoughts.schemas import SPACE, Found, Listing, Search

_RESERVE = 50
_RESERVE_FACTOR = 3
"""How many of the nearest are looked at, some of which may have been archived a moment ago."""

# OFFSET 0 fences a LATERAL everywhere, so that rows are looked up by key, whatever the planner
# believes of a table that has just been filled. `+ 0` keeps an approximate index from answering.
# A source may be archived, or expire, a moment before its thoughts are taken back: `stands`.
_RECALL = """
    SELECT t.memory_ordinal AS ordinal, m.id, m.content AS text, t.head, t.relation, t.tails,
        t.status, t.valid_from, t.valid_to, m.generated_by, 1 - t.d AS score
    FROM (
        SELECT t.*, v.d FROM thoughts t
        CROSS JOIN LATERAL (
            SELECT (vector <=> CAST(:vector AS halfvec)) + 0 AS d FROM derived_vectors_0
            WHERE owner_id = :owner_id AND space = :space AND ordinal = t.memory_ordinal
            OFFSET 0) v
        WHERE t.owner_id = :owner_id AND t.hash_version = :hash_version
            AND t.bucket = ANY(CAST(:buckets AS smallint[]))
            AND t.status = ANY(CAST(:statuses AS text[]))
            AND (CAST(:agent_id AS text) IS NULL OR t.agent_id = :agent_id)
        ORDER BY v.d, t.memory_ordinal LIMIT :candidates OFFSET 0) t
    CROSS JOIN LATERAL (
        SELECT id, content, generated_by, archived_at, expires_at FROM memories
        WHERE owner_id = :owner_id AND ordinal = t.memory_ordinal OFFSET 0) m
    CROSS JOIN LATERAL (
        SELECT NOT EXISTS (
            SELECT FROM memory_sources s
            CROSS JOIN LATERAL (
                SELECT archived_at, expires_at FROM memories
                WHERE owner_id = :owner_id AND ordinal = s.source_ordinal OFFSET 0) o
            WHERE s.owner_id = :owner_id AND s.memory_ordinal = t.memory_ordinal
                AND (o.archived_at IS NOT NULL OR o.expires_at <= :now)) AS stands OFFSET 0) a
    WHERE m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > :now) AND a.stands
    ORDER BY t.d, t.memory_ordinal LIMIT :limit
"""

_PAGE = sa.text("""
    SELECT t.memory_ordinal AS ordinal, m.id, m.content AS text, t.head, t.relation, t.tails,
        t.status, t.valid_from, t.valid_to, m.generated_by, CAST(0 AS float8) AS score
    FROM thoughts t
    CROSS JOIN LATERAL (
        SELECT id, content, generated_by, archived_at, expires_at FROM memories
        WHERE owner_id = :owner_id AND ordinal = t.memory_ordinal OFFSET 0) m
    CROSS JOIN LATERAL (SELECT NOT EXISTS (
            SELECT FROM memory_sources s
            CROSS JOIN LATERAL (
                SELECT archived_at, expires_at FROM memories
                WHERE owner_id = :owner_id AND ordinal = s.source_ordinal OFFSET 0) o
            WHERE s.owner_id = :owner_id AND s.memory_ordinal = t.memory_ordinal
                AND (o.archived_at IS NOT NULL OR o.expires_at <= :now)) AS stands OFFSET 0) a
    WHERE t.owner_id = :owner_id AND t.status = ANY(CAST(:statuses AS text[]))
        AND (CAST(:agent_id AS text) IS NULL OR t.agent_id = :agent_id)
        AND (CAST(:head AS text) IS NULL OR t.head_key = :head)
        AND (CAST(:relation AS text) IS NULL OR t.relation_key = :relation)
        AND (CAST(:before AS integer) IS NULL OR t.memory_ordinal < :before)
        AND m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > :now) AND a.stands
    ORDER BY t.memory_ordinal DESC LIMIT :limit
""")

# A thought stands on its own sources, and on those of all that says the same.
_SOURCES = sa.text("""
    WITH RECURSIVE tree (root, ordinal) AS (
        SELECT o.ordinal, o.ordinal FROM unnest(CAST(:ordinals AS integer[])) AS o (ordinal)
        UNION
        SELECT tree.root, t.memory_ordinal FROM tree CROSS JOIN LATERAL (
            SELECT memory_ordinal FROM thoughts
            WHERE owner_id = :owner_id AND replaced_by = tree.ordinal AND status = 'merged'
            OFFSET 0) t
    )
    SELECT DISTINCT tree.root, o.ordinal, o.id
    FROM tree
    CROSS JOIN LATERAL (
        SELECT source_ordinal FROM memory_sources
        WHERE owner_id = :owner_id AND memory_ordinal = tree.ordinal OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT ordinal, id, archived_at, expires_at FROM memories
        WHERE owner_id = :owner_id AND ordinal = s.source_ordinal OFFSET 0) o
    WHERE o.archived_at IS NULL AND (o.expires_at IS NULL OR o.expires_at > :now)
    ORDER BY tree.root, o.ordinal
""")

_MADE_OF = sa.text("""
    SELECT DISTINCT t.memory_ordinal
    FROM unnest(CAST(:ordinals AS integer[])) AS o (ordinal)
    CROSS JOIN LATERAL (
        SELECT memory_ordinal FROM memory_sources
        WHERE owner_id = :owner_id AND source_ordinal = o.ordinal OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT memory_ordinal FROM thoughts
        WHERE owner_id = :owner_id AND memory_ordinal = s.memory_ordinal OFFSET 0) t
    ORDER BY 1
""")

_FRESH = sa.text("""
    SELECT t.memory_ordinal
    FROM thoughts t
    CROSS JOIN LATERAL (
        SELECT archived_at FROM memories
        WHERE owner_id = :owner_id AND ordinal = t.memory_ordinal OFFSET 0) m
    WHERE t.owner_id = :owner_id AND NOT t.is_organised AND t.status = 'active'
        AND t.hash_version = :hash_version AND m.archived_at IS NULL
        AND t.bucket <> ALL(CAST(:but AS smallint[]))
    ORDER BY t.bucket, t.memory_ordinal LIMIT :limit
""")

_PARTNERS = sa.text("""
    SELECT DISTINCT t.memory_ordinal
    FROM (SELECT DISTINCT bucket, head_key, relation_key FROM thoughts
          WHERE owner_id = :owner_id AND memory_ordinal = ANY(CAST(:ordinals AS integer[]))
              AND relation_key IS NOT NULL) f
    CROSS JOIN LATERAL (
        SELECT memory_ordinal FROM thoughts
        WHERE owner_id = :owner_id AND head_key = f.head_key AND relation_key = f.relation_key
            AND bucket = f.bucket AND status = 'active' AND hash_version = :hash_version
        OFFSET 0) t
    ORDER BY 1
""")

_BUCKET = sa.text("""
    SELECT memory_ordinal FROM thoughts
    WHERE owner_id = :owner_id AND hash_version = :hash_version AND status = 'active'
        AND bucket = :bucket
    ORDER BY is_organised, memory_ordinal DESC LIMIT :limit
""")

_MEMBERS = sa.text("""
    SELECT t.memory_ordinal AS ordinal, t.bucket, t.agent_id, t.head, t.relation, t.tails,
        m.content AS text, t.valid_from
    FROM thoughts t
    CROSS JOIN LATERAL (
        SELECT content, archived_at FROM memories
        WHERE owner_id = :owner_id AND ordinal = t.memory_ordinal OFFSET 0) m
    WHERE t.owner_id = :owner_id AND t.memory_ordinal = ANY(CAST(:ordinals AS integer[]))
        AND t.status = 'active' AND m.archived_at IS NULL
    ORDER BY 1
""")

# Vectors at cosine .95 differ in a tenth of their sign bits: far fewer than a fifth, the sieve.
_NEAR = """
    WITH fresh AS MATERIALIZED (
        SELECT t.memory_ordinal AS ordinal, t.bucket, t.head_key, v.vector, v.bits
        FROM thoughts t
        CROSS JOIN LATERAL (
            SELECT vector, bits FROM derived_vectors_0
            WHERE owner_id = :owner_id AND space = :space AND ordinal = t.memory_ordinal
            OFFSET 0) v
        WHERE t.owner_id = :owner_id AND t.memory_ordinal = ANY(CAST(:ordinals AS integer[]))
    ), beside AS MATERIALIZED (
        SELECT t.memory_ordinal AS ordinal, t.bucket, t.head_key, v.bits
        FROM thoughts t
        CROSS JOIN LATERAL (
            SELECT bits FROM derived_vectors_0
            WHERE owner_id = :owner_id AND space = :space AND ordinal = t.memory_ordinal
            OFFSET 0) v
        WHERE t.owner_id = :owner_id AND t.hash_version = :hash_version AND t.status = 'active'
            AND t.bucket = ANY(ARRAY(SELECT DISTINCT bucket FROM fresh))
    ), sieved AS MATERIALIZED (
        SELECT fresh.ordinal, fresh.vector, beside.ordinal AS other
        FROM fresh JOIN beside USING (bucket, head_key)
        WHERE beside.ordinal <> fresh.ordinal
            AND (beside.bits <~> fresh.bits) <= length(fresh.bits) / 5
    )
    SELECT sieved.ordinal, sieved.other
    FROM sieved
    CROSS JOIN LATERAL (
        SELECT vector FROM derived_vectors_0
        WHERE owner_id = :owner_id AND space = :space AND ordinal = sieved.other OFFSET 0) v
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
        "candidates": _RESERVE + _RESERVE_FACTOR * asked.limit,
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
        "head": None if asked.head is None else head_key(asked.head),
        "relation": None if asked.relation is None else relation_key(asked.relation),
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


async def fresh(
    session: AsyncSession, scope: Scope, hash_version: int, *, limit: int, but: Collection[int] = ()
) -> list[int]:
    """Return active thoughts that were not organised since they changed, by bucket.

    Those in the buckets ``but`` are left out.
    """
    values = {
        "owner_id": scope.owner_id,
        "hash_version": hash_version,
        "limit": limit,
        "but": sorted(but),
    }
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


async def in_bucket(
    session: AsyncSession, scope: Scope, hash_version: int, bucket: int, *, limit: int
) -> list[int]:
    """Return active thoughts of a bucket: those to be organised, then the newest."""
    values = {
        "owner_id": scope.owner_id,
        "hash_version": hash_version,
        "bucket": bucket,
        "limit": limit,
    }
    return list((await session.scalars(_BUCKET, values)).all())


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
