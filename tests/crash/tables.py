"""What must hold in the tables, whatever was killed: each query finds the rows that break it."""

from collections.abc import Iterator, Sequence
from typing import LiteralString

from psycopg import Connection, sql

from tests.crash.stream import MARK, Kept

_LISTED = 5

RULES: dict[str, LiteralString] = {
    "owner_stats.keys counts the keys": """
        SELECT s.owner_id, s.keys, count(k.ordinal) FROM owner_stats s
        LEFT JOIN memory_keys k USING (owner_id)
        GROUP BY s.owner_id, s.keys HAVING s.keys <> count(k.ordinal)""",
    "owner_stats.sum_dl sums the lengths of the keys": """
        WITH length AS (
            SELECT owner_id, key_ordinal, max(dl) AS dl FROM postings GROUP BY 1, 2)
        SELECT s.owner_id, s.sum_dl, sum(l.dl) FROM owner_stats s
        LEFT JOIN length l USING (owner_id)
        GROUP BY s.owner_id, s.sum_dl HAVING s.sum_dl <> coalesce(sum(l.dl), 0)""",
    "owner_stats.last_ordinal is the last memory's": """
        SELECT s.owner_id, s.last_ordinal, max(m.ordinal) FROM owner_stats s
        LEFT JOIN memories m USING (owner_id)
        GROUP BY s.owner_id, s.last_ordinal HAVING s.last_ordinal <> coalesce(max(m.ordinal), 0)""",
    "an owner has its counters": """
        SELECT owner_id FROM owners LEFT JOIN owner_stats s USING (owner_id)
        WHERE s.owner_id IS NULL""",
    "a posting has its key": """
        SELECT p.owner_id, p.key_ordinal FROM postings p
        LEFT JOIN memory_keys k ON k.owner_id = p.owner_id AND k.ordinal = p.key_ordinal
        WHERE k.ordinal IS NULL""",
    "a key's stems are its postings": """
        SELECT owner_id, ordinal FROM (
            SELECT owner_id, ordinal, unnest(lexemes) COLLATE "C" AS lexeme FROM memory_keys) k
        FULL JOIN (SELECT owner_id, key_ordinal AS ordinal, lexeme FROM postings) p
            USING (owner_id, ordinal, lexeme)
        WHERE k IS NULL OR p IS NULL""",
    "a key has its memory": """
        SELECT k.owner_id, k.ordinal FROM memory_keys k
        LEFT JOIN memories m ON m.owner_id = k.owner_id AND m.ordinal = k.memory_ordinal
        WHERE m.ordinal IS NULL""",
    "a memory has its first key": """
        SELECT m.owner_id, m.ordinal FROM memories m
        LEFT JOIN memory_keys k ON k.owner_id = m.owner_id AND k.ordinal = m.ordinal
        WHERE k.ordinal IS NULL""",
    "a memory has its one source": """
        SELECT m.owner_id, m.ordinal, count(e.id) FROM memories m
        LEFT JOIN memory_sources s ON s.owner_id = m.owner_id AND s.memory_ordinal = m.ordinal
        LEFT JOIN episodes e ON e.owner_id = s.owner_id AND e.id = s.episode_id
            AND e.content = m.content AND e.ordinal = m.ordinal
        GROUP BY m.owner_id, m.ordinal HAVING count(e.id) <> 1""",
    "an episode has its one memory": """
        SELECT e.owner_id, e.id, count(s.memory_ordinal) FROM episodes e
        LEFT JOIN memory_sources s ON s.owner_id = e.owner_id AND s.episode_id = e.id
        GROUP BY e.owner_id, e.id HAVING count(s.memory_ordinal) <> 1""",
    "a session counts its episodes, numbered without a gap": """
        SELECT s.owner_id, s.session_id, s.messages, count(e.id) FROM sessions s
        LEFT JOIN episodes e USING (owner_id, session_id)
        GROUP BY s.owner_id, s.session_id
        HAVING (s.messages, s.last_seq, s.last_ordinal, s.ordinal, count(e.id)) IS DISTINCT FROM
            (count(DISTINCT e.seq), max(e.seq), max(e.ordinal), min(e.ordinal),
             count(e.id) FILTER (WHERE e.seq BETWEEN 1 AND s.messages))""",
    "an episode has its session": """
        SELECT e.owner_id, e.id FROM episodes e LEFT JOIN sessions s USING (owner_id, session_id)
        WHERE e.session_id IS NOT NULL AND s.session_id IS NULL""",
    "an episode's job is there": """
        SELECT e.owner_id, e.id FROM episodes e LEFT JOIN jobs j ON j.id = e.job_id
        WHERE e.job_id IS NOT NULL AND j.id IS NULL""",
    "a job has succeeded": """
        SELECT id, status, error FROM jobs WHERE status <> 'succeeded'""",
    "the queue is empty": "SELECT id, status::text FROM procrastinate_jobs",
    "an Idempotency-Key has its answer": """
        SELECT key FROM idempotency_keys WHERE response IS NULL""",
}

RULES_OF_MODEL: dict[str, LiteralString] = {
    "a vector has its key": """
        SELECT e.owner_id, e.key_ordinal FROM {vectors} e
        LEFT JOIN memory_keys k ON k.owner_id = e.owner_id AND k.ordinal = e.key_ordinal
        WHERE k.ordinal IS NULL""",
    "a key has its vector": """
        SELECT k.owner_id, k.ordinal FROM memory_keys k
        LEFT JOIN {vectors} e ON e.owner_id = k.owner_id AND e.key_ordinal = k.ordinal
        WHERE e.key_ordinal IS NULL""",
    "a vector has its bits": """
        SELECT owner_id, key_ordinal FROM {vectors} FULL JOIN {bits} USING (owner_id, key_ordinal)
        WHERE vector IS NULL OR bits IS NULL OR bits <> binary_quantize(vector)""",
}


def broken_rules(connection: Connection, kept: Sequence[Kept], keys: set[str]) -> list[str]:
    """Return which rules are broken, with some of the rows that break them."""
    return [*_broken(connection), *_missing(connection, kept), *_lost_keys(connection, keys)]


def _broken(connection: Connection) -> Iterator[str]:
    for rule, query in RULES.items():
        if rows := connection.execute(query).fetchmany(_LISTED):
            yield f"{rule}, but: {rows}"
    for (model_id,) in connection.execute("SELECT model_id FROM embedding_models").fetchall():
        tables = {
            "vectors": sql.Identifier(f"embeddings_{model_id}"),
            "bits": sql.Identifier(f"embedding_bits_{model_id}"),
        }
        for rule, query in RULES_OF_MODEL.items():
            if rows := connection.execute(sql.SQL(query).format(**tables)).fetchmany(_LISTED):
                yield f"{rule}, but: {rows}"


def _missing(connection: Connection, kept: Sequence[Kept]) -> Iterator[str]:
    """Compare what is stored with what was acknowledged: nothing less, nothing more."""
    rows = connection.execute(
        "SELECT o.external_id, e.client_key, e.id::text, e.session_id, e.content"
        " FROM episodes e JOIN owners o USING (owner_id)"
        " WHERE starts_with(o.external_id, %s)",
        (MARK,),
    ).fetchall()
    stored = sorted(tuple(row) for row in rows)
    acknowledged = sorted((k.user, k.client_id, k.id, k.session, k.content) for k in kept)
    if stored != acknowledged:
        lost = sorted(set(acknowledged) - set(stored))
        extra = sorted(set(stored) - set(acknowledged))
        yield (
            f"stored {len(stored)} of {len(acknowledged)} acknowledged items;"
            f" lost {lost[:_LISTED]}, never acknowledged {extra[:_LISTED]}"
        )


def _lost_keys(connection: Connection, keys: set[str]) -> Iterator[str]:
    query = "SELECT key FROM idempotency_keys WHERE starts_with(key, %s)"
    stored = {key for (key,) in connection.execute(query, (MARK,)).fetchall()}
    if stored != keys:
        yield f"Idempotency-Keys differ: {sorted(stored ^ keys)[:_LISTED]}"
