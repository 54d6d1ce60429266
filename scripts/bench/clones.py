"""Copy stores inside the database: a million memories in minutes.

A few users are written as always; all others are windows of theirs, with ids of their own and
vectors mixed anew: the mean of two memories of one window. Rows of all users interleave on disk.
Foreign keys are not checked while copying, which only the tables' owner may arrange.
"""

import random
import time
from collections.abc import Iterator, Sequence

import psycopg

WINDOW = 500
"""Memories copied at a time."""

_ADD_OWNER = """
    WITH added AS (
        INSERT INTO owners (tenant_id, kind, external_id, created_at)
        VALUES (%(tenant_id)s, 'user', %(name)s, now()) RETURNING owner_id)
    INSERT INTO owner_stats (owner_id) SELECT owner_id FROM added RETURNING owner_id
"""

# ``shift`` leads from an ordinal of the source to one of the copy.
_COPY = """
    WITH source AS MATERIALIZED (
        SELECT m.*, uuidv7() AS copy_id FROM memories m
        WHERE m.owner_id = %(pool)s AND m.ordinal > %(start)s AND m.ordinal <= %(stop)s
    ), a AS (
        INSERT INTO episodes (owner_id, id, ordinal, session_id, seq, role, name, content,
            occurred_at, created_at, metadata, body_digest, digest)
        SELECT %(owner)s, copy_id, ordinal + %(shift)s, session_id || '-' || %(shift)s,
            ordinal, role, name, content, occurred_at, created_at, metadata, uuid_send(copy_id),
            uuid_send(copy_id)
        FROM source
    ), b AS (
        INSERT INTO memories (owner_id, ordinal, id, tenant_id, kind, content, session_id, role,
            name, occurred_at, created_at, updated_at, context_ordinal, metadata, infer)
        SELECT %(owner)s, ordinal + %(shift)s, copy_id, tenant_id, kind, content,
            session_id || '-' || %(shift)s, role, name, occurred_at, created_at, updated_at,
            context_ordinal + %(shift)s, metadata, infer
        FROM source
    ), c AS (
        INSERT INTO memory_sources (owner_id, memory_ordinal, episode_id)
        SELECT %(owner)s, ordinal + %(shift)s, copy_id FROM source
    ), d AS (
        INSERT INTO memory_events (owner_id, memory_ordinal, kind, at, detail)
        SELECT %(owner)s, ordinal + %(shift)s, 'created', created_at, '{}' FROM source
    ), e AS (
        INSERT INTO memory_keys (owner_id, ordinal, memory_ordinal, key_kind, start, stop, lexemes)
        SELECT %(owner)s, k.ordinal + %(shift)s, k.memory_ordinal + %(shift)s, k.key_kind, k.start,
            k.stop, k.lexemes
        FROM memory_keys k JOIN source USING (ordinal) WHERE k.owner_id = %(pool)s
    ), mixed AS MATERIALIZED (
        SELECT x.key_ordinal + %(shift)s AS key_ordinal,
            l2_normalize(x.vector + y.vector) AS vector
        FROM embeddings_1 x JOIN embeddings_1 y ON y.owner_id = %(pool)s
            AND y.key_ordinal = %(start)s + 1
                + (x.key_ordinal * 7 + %(salt)s) %% (%(stop)s - %(start)s)
        WHERE x.owner_id = %(pool)s AND x.key_ordinal > %(start)s AND x.key_ordinal <= %(stop)s
    ), f AS (
        INSERT INTO embeddings_1 (owner_id, key_ordinal, vector)
        SELECT %(owner)s, key_ordinal, vector FROM mixed
    ), g AS (
        INSERT INTO embedding_bits_1 (owner_id, key_ordinal, bits)
        SELECT %(owner)s, key_ordinal, binary_quantize(vector) FROM mixed
    ), posted AS (
        INSERT INTO postings (owner_id, lexeme, key_ordinal, tf, dl)
        SELECT %(owner)s, p.lexeme, p.key_ordinal + %(shift)s, p.tf, p.dl
        FROM source CROSS JOIN LATERAL unnest((
            SELECT lexemes FROM memory_keys k
            WHERE k.owner_id = %(pool)s AND k.ordinal = source.ordinal)) AS u (lexeme)
        JOIN postings p ON p.owner_id = %(pool)s AND p.lexeme = u.lexeme COLLATE "C"
            AND p.key_ordinal = source.ordinal
        ORDER BY p.lexeme, p.key_ordinal
        RETURNING key_ordinal, dl
    )
    UPDATE owner_stats SET keys = keys + (SELECT count(*) FROM source),
        last_ordinal = greatest(last_ordinal, %(stop)s + %(shift)s),
        sum_dl = sum_dl + (SELECT sum(dl) FROM (
            SELECT max(dl) AS dl FROM posted GROUP BY key_ordinal) l)
    WHERE owner_id = %(owner)s
"""
_SESSIONS = """
    INSERT INTO sessions (owner_id, session_id, ordinal, messages, last_seq, last_ordinal, first_at,
        last_at, created_at)
    SELECT owner_id, session_id, min(ordinal), count(*), max(seq), max(ordinal), min(occurred_at),
        max(occurred_at), min(created_at)
    FROM episodes e WHERE session_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM sessions s WHERE s.owner_id = e.owner_id)
    GROUP BY 1, 2
"""
_POOL = """
    SELECT s.owner_id, s.keys FROM owner_stats s JOIN owners USING (owner_id)
    WHERE external_id LIKE 'pool-%' ORDER BY 1
"""


def copy(owner_url: str, tenant_id: str, owners: Sequence[tuple[str, int]], *, seed: int) -> float:
    """Make users (name, memories) as copies of those named ``pool-…``; return seconds."""
    started = time.perf_counter()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET plan_cache_mode = force_generic_plan")
        # Row by row along the keys: any other plan reads all that was copied so far.
        for way in ("memoize", "seqscan", "hashjoin", "mergejoin"):
            connection.execute(f"SET enable_{way} = off".encode())
        pools = connection.execute(_POOL).fetchall()
        numbers = {}
        for name, _ in owners:
            row = connection.execute(_ADD_OWNER, {"tenant_id": tenant_id, "name": name}).fetchone()
            assert row is not None
            numbers[name] = row[0]
        for place, done, size in _windows(owners, seed):
            name, _ = owners[place]
            pool, held = pools[place % len(pools)]
            # Each round through the pool starts a little further on.
            start = (done + done // held * 7) % max(1, held - size)
            values = {
                "owner": numbers[name], "pool": pool, "start": start, "stop": start + size,
                "shift": done - start, "salt": done + place,
            }  # fmt: skip
            connection.execute(_COPY, values)
        connection.execute(_SESSIONS)
        # Plans made while the tables were small would read them whole from now on.
        connection.execute("ANALYZE")
    return time.perf_counter() - started


def _windows(owners: Sequence[tuple[str, int]], seed: int) -> Iterator[tuple[int, int, int]]:
    """Yield (place of the user, memories copied so far, memories to copy), users interleaved."""
    rng = random.Random(seed)
    places = [place for place, (_, size) in enumerate(owners) for _ in range(-(-size // WINDOW))]
    rng.shuffle(places)
    done = [0] * len(owners)
    for place in places:
        size = min(WINDOW, owners[place][1] - done[place])
        yield place, done[place], size
        done[place] += size
