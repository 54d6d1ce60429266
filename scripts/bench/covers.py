"""The background indexes of large owners, made in bulk: the worker makes them bit by bit."""

from collections.abc import Mapping, Sequence

from app.memories.repository.covering import LEAST_KEYS_OF_A_STEM
from app.memories.service.spaces import COVER_FROM

_STEMS = f"""
    WITH large AS (SELECT owner_id FROM owner_stats WHERE keys >= {COVER_FROM}
        EXCEPT SELECT owner_id FROM covered_keys WHERE index_name = 'stems'),
    counted AS (
        INSERT INTO stem_counts (owner_id, lexeme, keys, most_tf, least_dl)
        SELECT owner_id, lexeme, count(*), max(tf), min(CAST(dl AS real) / tf)
        FROM postings JOIN large USING (owner_id)
        GROUP BY owner_id, lexeme HAVING count(*) >= {LEAST_KEYS_OF_A_STEM})
    INSERT INTO covered_keys (owner_id, index_name, lowest, highest, updated_at)
    SELECT owner_id, 'stems', -last_extra_key, last_ordinal, now()
    FROM owner_stats JOIN large USING (owner_id)
"""  # noqa: S608  -- constants


def in_bulk(hnsw_from: int) -> Mapping[str, Sequence[str]]:
    """Return the statements of each index, for the owner of the tables.

    The index of neighbours is built behind its rows, which is several times quicker than vector
    by vector.
    """
    least = int(hnsw_from)
    return {
        "stem_counts": (_STEMS,),
        "hnsw": (
            "SELECT add_hnsw(1)",
            "DROP INDEX IF EXISTS embedding_hnsw_1_vector_idx",
            f"""
            INSERT INTO embedding_hnsw_1 SELECT e.* FROM embeddings_1 e
            JOIN owner_stats USING (owner_id) WHERE keys >= {least}
            """,  # noqa: S608  -- a number
            f"""
            INSERT INTO covered_keys (owner_id, index_name, lowest, highest, updated_at)
            SELECT owner_id, 'hnsw_1', -last_extra_key, last_ordinal, now()
            FROM owner_stats WHERE keys >= {least}
            """,  # noqa: S608  -- a number
            "CREATE INDEX embedding_hnsw_1_vector_idx ON embedding_hnsw_1 "
            "USING hnsw (vector halfvec_cosine_ops)",
        ),
    }
