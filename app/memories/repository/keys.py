"""The keyword index: keys and their postings."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.kernel import KeyPlan
from app.memories.models import Memory, MemoryKey
from app.tenants.schemas import Scope


@dataclass(frozen=True, slots=True)
class PlacedKey:
    """A planned key with the ordinal it is stored under."""

    ordinal: int
    memory_ordinal: int
    plan: KeyPlan


# A stem's frequency and a key's length are what BM25 needs; both are capped by their column.
# The stems are also kept with the key, so that deleting it needs no index on postings.
_INDEX = sa.text("""
    WITH key AS (
        SELECT * FROM unnest(
            CAST(:ordinal AS integer[]), CAST(:memory_ordinal AS integer[]),
            CAST(:key_kind AS text[]), CAST(:start AS integer[]), CAST(:stop AS integer[]),
            CAST(:lexical_text AS text[])
        ) AS k (ordinal, memory_ordinal, key_kind, start, stop, lexical_text)
    ), token AS MATERIALIZED (
        SELECT k.ordinal, t.lexeme COLLATE "C" AS lexeme,
            CAST(cardinality(t.positions) AS smallint) AS tf
        FROM key k
        CROSS JOIN LATERAL unnest(to_tsvector(CAST(:config AS regconfig), k.lexical_text)) t
    ), length AS MATERIALIZED (
        SELECT ordinal, CAST(least(sum(tf), 32767) AS smallint) AS dl,
            array_agg(lexeme) AS lexemes
        FROM token GROUP BY ordinal
    ), stored AS (
        INSERT INTO memory_keys (
            owner_id, ordinal, memory_ordinal, key_kind, start, stop, lexemes)
        SELECT :owner_id, k.ordinal, k.memory_ordinal, k.key_kind, k.start, k.stop,
            coalesce(l.lexemes, '{}')
        FROM key k LEFT JOIN length l USING (ordinal)
    ), posted AS (
        INSERT INTO postings (owner_id, lexeme, key_ordinal, tf, dl)
        SELECT :owner_id, lexeme, ordinal, tf, dl FROM token JOIN length USING (ordinal)
        ORDER BY lexeme, ordinal
    ), counted AS (  -- a key written anew, under an ordinal that is counted already
        UPDATE stem_counts c SET keys = c.keys + t.keys,
            most_tf = greatest(c.most_tf, t.most_tf), least_dl = least(c.least_dl, t.least_dl)
        FROM (
            SELECT lexeme, count(*) AS keys, max(tf) AS most_tf,
                min(CAST(dl AS real) / tf) AS least_dl
            FROM covered_keys k
            JOIN token ON token.ordinal BETWEEN k.lowest AND k.highest
            JOIN length USING (ordinal)
            WHERE k.owner_id = :owner_id AND k.index_name = 'stems' GROUP BY lexeme) t
        WHERE c.owner_id = :owner_id AND c.lexeme = t.lexeme
    )
    UPDATE owner_stats SET
        keys = keys + cardinality(CAST(:ordinal AS integer[])),
        sum_dl = sum_dl + (SELECT coalesce(sum(dl), 0) FROM length)
    WHERE owner_id = :owner_id
""")

_UNINDEX = sa.text("""
    WITH gone AS (
        DELETE FROM memory_keys
        WHERE owner_id = :owner_id AND ordinal IN (
            SELECT unnest(CAST(:ordinals AS integer[]))
            UNION ALL
            SELECT ordinal FROM memory_keys WHERE owner_id = :owner_id AND ordinal < 0
                AND memory_ordinal = ANY(CAST(:ordinals AS integer[])))
        RETURNING ordinal, lexemes
    ), unposted AS (
        DELETE FROM postings p
        USING (SELECT ordinal, unnest(lexemes) COLLATE "C" AS lexeme FROM gone) g
        WHERE p.owner_id = :owner_id AND p.lexeme = g.lexeme AND p.key_ordinal = g.ordinal
        RETURNING p.key_ordinal, p.lexeme, p.dl
    ), counted AS (
        UPDATE stem_counts c SET keys = c.keys - u.keys
        FROM (
            SELECT lexeme, count(*) AS keys FROM covered_keys k
            JOIN unposted ON key_ordinal BETWEEN k.lowest AND k.highest
            WHERE k.owner_id = :owner_id AND k.index_name = 'stems' GROUP BY lexeme) u
        WHERE c.owner_id = :owner_id AND c.lexeme = u.lexeme
    )
    UPDATE owner_stats SET
        keys = keys - (SELECT count(*) FROM gone),
        sum_dl = sum_dl - (SELECT coalesce(sum(dl), 0) FROM (
            SELECT max(dl) AS dl FROM unposted GROUP BY key_ordinal) l)
    WHERE owner_id = :owner_id
""")


# New stems for keys that keep their ordinal (and so their vector): only the context changed.
_REINDEX = sa.text("""
    WITH key AS (
        SELECT * FROM unnest(CAST(:ordinal AS integer[]), CAST(:lexical_text AS text[]))
            AS k (ordinal, lexical_text)
    ), old AS MATERIALIZED (
        SELECT ordinal, lexemes FROM memory_keys JOIN key USING (ordinal)
        WHERE owner_id = :owner_id
    ), token AS MATERIALIZED (
        SELECT k.ordinal, t.lexeme COLLATE "C" AS lexeme,
            CAST(cardinality(t.positions) AS smallint) AS tf
        FROM key k JOIN old USING (ordinal)
        CROSS JOIN LATERAL unnest(to_tsvector(CAST(:config AS regconfig), k.lexical_text)) t
    ), length AS MATERIALIZED (
        SELECT ordinal, CAST(least(sum(tf), 32767) AS smallint) AS dl,
            array_agg(lexeme) AS lexemes
        FROM token GROUP BY ordinal
    ), stale AS MATERIALIZED (
        SELECT o.ordinal, u.lexeme COLLATE "C" AS lexeme, p.dl
        FROM old o CROSS JOIN LATERAL unnest(o.lexemes) AS u (lexeme)
        JOIN postings p ON p.owner_id = :owner_id AND p.lexeme = u.lexeme COLLATE "C"
            AND p.key_ordinal = o.ordinal
    ), unposted AS (
        DELETE FROM postings p USING stale s
        WHERE p.owner_id = :owner_id AND p.lexeme = s.lexeme AND p.key_ordinal = s.ordinal
            AND NOT EXISTS (
                SELECT FROM token t WHERE t.ordinal = s.ordinal AND t.lexeme = s.lexeme)
    ), posted AS (
        INSERT INTO postings (owner_id, lexeme, key_ordinal, tf, dl)
        SELECT :owner_id, lexeme, ordinal, tf, dl FROM token JOIN length USING (ordinal)
        ON CONFLICT (owner_id, lexeme, key_ordinal)
            DO UPDATE SET tf = excluded.tf, dl = excluded.dl
    ), counted AS (
        UPDATE stem_counts c SET keys = c.keys + t.keys,
            most_tf = greatest(c.most_tf, t.most_tf), least_dl = least(c.least_dl, t.least_dl)
        FROM (
            SELECT lexeme, sum(keys) AS keys, max(tf) AS most_tf,
                min(CAST(dl AS real) / tf) AS least_dl
            FROM covered_keys k JOIN (
                SELECT lexeme, ordinal, 1 AS keys, tf, dl FROM token JOIN length USING (ordinal)
                UNION ALL
                SELECT lexeme, ordinal, -1, NULL, NULL FROM stale
            ) moved ON ordinal BETWEEN k.lowest AND k.highest
            WHERE k.owner_id = :owner_id AND k.index_name = 'stems' GROUP BY lexeme) t
        WHERE c.owner_id = :owner_id AND c.lexeme = t.lexeme
    ), stored AS (
        UPDATE memory_keys k SET lexemes = coalesce(l.lexemes, '{}')
        FROM old o LEFT JOIN length l USING (ordinal)
        WHERE k.owner_id = :owner_id AND k.ordinal = o.ordinal
    )
    UPDATE owner_stats SET sum_dl = sum_dl
        + (SELECT coalesce(sum(dl), 0) FROM length)
        - (SELECT coalesce(sum(dl), 0) FROM (
            SELECT max(dl) AS dl FROM stale GROUP BY ordinal) l)
    WHERE owner_id = :owner_id
""")


async def index(
    session: AsyncSession, scope: Scope, keys: Sequence[PlacedKey], *, config: str
) -> None:
    """Store keys and their postings under the text search configuration ``config``."""
    if not keys:
        return
    values = {
        "owner_id": scope.owner_id,
        "config": config,
        "ordinal": [key.ordinal for key in keys],
        "memory_ordinal": [key.memory_ordinal for key in keys],
        "key_kind": [key.plan.kind for key in keys],
        "start": [key.plan.start for key in keys],
        "stop": [key.plan.stop for key in keys],
        "lexical_text": [key.plan.lexical_text for key in keys],
    }
    await session.execute(_INDEX, values)


async def unindex(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Delete all keys of these memories, with their postings and vectors."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    await session.execute(_UNINDEX, values)


async def reindex(
    session: AsyncSession, scope: Scope, texts: Sequence[tuple[int, str]], *, config: str
) -> None:
    """Give keys (by ordinal) new keyword texts; vectors stay."""
    if not texts:
        return
    values = {
        "owner_id": scope.owner_id,
        "config": config,
        "ordinal": [ordinal for ordinal, _ in texts],
        "lexical_text": [text for _, text in texts],
    }
    await session.execute(_REINDEX, values)


async def of_memories(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Sequence[MemoryKey]:
    """Return the keys of memories in the order of their windows."""
    statement = (
        sa.select(MemoryKey)
        .where(
            MemoryKey.owner_id == scope.owner_id,
            sa.or_(
                MemoryKey.ordinal.in_(ordinals),
                sa.and_(MemoryKey.ordinal < 0, MemoryKey.memory_ordinal.in_(ordinals)),
            ),
        )
        .order_by(MemoryKey.memory_ordinal, MemoryKey.start)
    )
    return (await session.scalars(statement)).all()


_LEXEMES = sa.text("""
    SELECT memory_ordinal, lexemes FROM memory_keys
    WHERE owner_id = :owner_id AND ordinal = ANY(CAST(:ordinals AS integer[]))
""")

_FREQUENCIES = sa.text("""
    SELECT l.lexeme, d.df FROM unnest(CAST(:lexemes AS text[])) AS l (lexeme)
    CROSS JOIN LATERAL (
        SELECT count(*) AS df FROM postings
        WHERE owner_id = :owner_id AND lexeme = l.lexeme COLLATE "C" OFFSET 0) d
""")


async def lexemes(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, set[str]]:
    """Return the stems of each memory's first key, by the memory's ordinal."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return {row.memory_ordinal: set(row.lexemes) for row in await session.execute(_LEXEMES, values)}


async def document_frequencies(
    session: AsyncSession, scope: Scope, stems: Sequence[str]
) -> dict[str, int]:
    """Return in how many of the owner's keys each stem stands."""
    values = {"owner_id": scope.owner_id, "lexemes": list(stems)}
    return {row.lexeme: row.df for row in await session.execute(_FREQUENCIES, values)}


async def live_after(
    session: AsyncSession, scope: Scope, ordinal: int, *, limit: int
) -> Sequence[Memory]:
    """Return indexed memories behind ``ordinal``, ascending: for walking an owner's keys."""
    statement = (
        sa.select(Memory)
        .where(
            Memory.owner_id == scope.owner_id,
            Memory.ordinal > ordinal,
            Memory.archived_at.is_(None),
            Memory.generated_by.is_(None),  # what mechanisms make has no keys
        )
        .order_by(Memory.ordinal)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()
