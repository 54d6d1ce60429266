"""What large owners have besides their keys: counts of frequent stems, an index of neighbours.

Both cover a range of ordinals, named in ``covered_keys``; recall reads all other keys as it reads
those of other owners. Every caller holds the owner's lock.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.memories.models import StemCount
from app.memories.repository.vectors import of_model
from app.tenants.schemas import Scope

LEAST_KEYS_OF_A_STEM = 500
"""From so many keys on a stem is counted in advance; fewer are counted quickly."""

_COUNT = sa.text("""
    INSERT INTO stem_counts (owner_id, lexeme, keys, most_tf, least_dl)
    SELECT owner_id, lexeme, count(*), max(tf), min(CAST(dl AS real) / tf)
    FROM postings WHERE owner_id = :owner_id
    GROUP BY owner_id, lexeme HAVING count(*) >= :least
""")

_COVER = sa.text("""
    INSERT INTO covered_keys (owner_id, index_name, lowest, highest, updated_at)
    SELECT owner_id, 'stems', -last_extra_key, last_ordinal, :now
    FROM owner_stats WHERE owner_id = :owner_id
    ON CONFLICT (owner_id, index_name) DO UPDATE
    SET lowest = excluded.lowest, highest = excluded.highest, updated_at = excluded.updated_at
""")

_ADD_HNSW = sa.text("SELECT add_hnsw(:model_id)")

# The next keys of a direction: first keys upwards, further ones downwards.
_EXTEND = """
    WITH known AS (
        SELECT lowest, highest FROM covered_keys
        WHERE owner_id = :owner_id AND index_name = 'hnsw_0'
    ), next AS MATERIALIZED (
        (SELECT key_ordinal, vector FROM embeddings_0 WHERE owner_id = :owner_id
            AND key_ordinal > coalesce((SELECT highest FROM known), 0)
        ORDER BY key_ordinal LIMIT :most)
        UNION ALL
        (SELECT key_ordinal, vector FROM embeddings_0 WHERE owner_id = :owner_id
            AND key_ordinal < coalesce((SELECT lowest FROM known), 0)
        ORDER BY key_ordinal DESC LIMIT :most)
    ), stored AS (
        INSERT INTO embedding_hnsw_0 (owner_id, key_ordinal, vector)
        SELECT :owner_id, key_ordinal, vector FROM next
        ON CONFLICT (owner_id, key_ordinal) DO UPDATE SET vector = excluded.vector
    ), covered AS (
        INSERT INTO covered_keys (owner_id, index_name, lowest, highest, updated_at)
        SELECT :owner_id, 'hnsw_0', least(0, min(key_ordinal)), greatest(0, max(key_ordinal)), :now
        FROM next HAVING count(*) > 0
        ON CONFLICT (owner_id, index_name) DO UPDATE SET
            lowest = least(covered_keys.lowest, excluded.lowest),
            highest = greatest(covered_keys.highest, excluded.highest),
            updated_at = excluded.updated_at
    )
    SELECT count(*) FROM next
"""

_RENEW = """
    WITH late AS (
        DELETE FROM uncovered_keys WHERE owner_id = :owner_id AND model_id = :model_id
            AND key_ordinal IN (
                SELECT key_ordinal FROM uncovered_keys
                WHERE owner_id = :owner_id AND model_id = :model_id LIMIT :most)
        RETURNING key_ordinal
    ), stored AS (
        INSERT INTO embedding_hnsw_0 (owner_id, key_ordinal, vector)
        SELECT :owner_id, key_ordinal, vector FROM late
        JOIN embeddings_0 e USING (key_ordinal) WHERE e.owner_id = :owner_id
        ON CONFLICT (owner_id, key_ordinal) DO UPDATE SET vector = excluded.vector
    )
    SELECT count(*) FROM late
"""


async def count_stems(session: AsyncSession, scope: Scope, *, now: datetime) -> None:
    """Count the owner's frequent stems anew, over all its keys."""
    own = sa.delete(StemCount).where(StemCount.owner_id == scope.owner_id)
    await session.execute(own)
    values = {"owner_id": scope.owner_id, "least": LEAST_KEYS_OF_A_STEM}
    await session.execute(_COUNT, values)
    await session.execute(_COVER, {"owner_id": scope.owner_id, "now": now})


async def add_hnsw(session: AsyncSession, model_id: int) -> None:
    """Make a model's index of neighbours, unless it is there."""
    await session.execute(_ADD_HNSW, {"model_id": model_id})


async def extend_hnsw(
    session: AsyncSession, scope: Scope, model_id: int, *, most: int, now: datetime
) -> int:
    """Put an owner's next vectors into the model's index; return how many, 0 at the end."""
    values = {"owner_id": scope.owner_id, "most": most}
    renewed = await session.execute(of_model(_RENEW, model_id), values | {"model_id": model_id})
    extended = await session.execute(of_model(_EXTEND, model_id), values | {"now": now})
    return int(renewed.scalar_one()) + int(extended.scalar_one())
