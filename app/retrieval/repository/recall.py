"""The one statement behind a recall: keyword arm, dense arm and their fusion, side by side.

It is assembled from constant pieces (see ``arms``): the dense arm is exact, by bits, by an index of
neighbours, or left out, and either arm may be narrowed to a filter's memories.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import Read
from app.memories.models import Memory
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.repository import arms
from app.tenants.schemas import Scope

DensePath = Literal["exact", "bits", "hnsw", "none"]

# Scores are divided by the best possible one, so that 1 is the first of both arms.
_FUSION = """
    , fused AS MATERIALIZED (
        SELECT ordinal, least(1,
            (coalesce(:lexical_weight / (:rrf_k + lx.r), 0)
             + coalesce(:dense_weight / (:rrf_k + de.r), 0))
            * (:rrf_k + 1)
            / (:lexical_weight + :dense_weight)) AS score,
            lx.r AS lexical_rank, CAST(lx.s AS float8) AS lexical_score,
            de.r AS dense_rank, de.d AS dense_distance
        FROM lx FULL JOIN de USING (ordinal) WHERE lx.r <= :near OR de.r <= :near
        ORDER BY 2 DESC, 1 LIMIT :candidates
    )"""

_FILTERED_KEYS = """
    ok AS MATERIALIZED (
        SELECT ordinal FROM passing
        UNION ALL
        SELECT k.ordinal FROM memory_keys k JOIN passing ON passing.ordinal = k.memory_ordinal
        WHERE k.owner_id = :owner_id AND k.ordinal < 0
    ),"""

# An expired memory is archived within minutes; to the second it is left out here, before the arms
# count their hits.
_EXPIRED_KEYS = """
    ex AS MATERIALIZED (
        SELECT ordinal FROM memories
        WHERE owner_id = :owner_id AND archived_at IS NULL AND expires_at <= :now
    ), gone AS MATERIALIZED (
        SELECT ordinal FROM ex
        UNION ALL
        SELECT k.ordinal FROM ex CROSS JOIN LATERAL (
            SELECT ordinal FROM memory_keys
            WHERE owner_id = :owner_id AND memory_ordinal = ex.ordinal AND ordinal < 0 OFFSET 0) k
    ),"""

_HITS = """
    SELECT f.ordinal, f.score, f.score AS fused,
        f.lexical_rank, f.lexical_score, f.dense_rank, f.dense_distance,
        m.id, m.kind, m.content, m.role, m.name, m.session_id, m.agent_id, m.place,
        m.occurred_at, m.created_at, m.importance, m.pinned, m.strength_days, m.recalled_at,
        m.generated_by, m.metadata, /*tokens*/,
        EXISTS (SELECT FROM conflicts WHERE owner_id = :owner_id
            AND (older_ordinal = f.ordinal OR newer_ordinal = f.ordinal))
    FROM fused f
    JOIN memories m ON m.owner_id = :owner_id AND m.ordinal = f.ordinal
    /*token_bits*/
    ORDER BY f.score DESC, f.ordinal
"""

# Of the first key alone: a long text would have to be read from many pages.
_LATE = """
    LEFT JOIN token_bits_0 t ON t.owner_id = :owner_id AND t.key_ordinal = f.ordinal"""

# In the order of the statement, which is that of a candidate's members.
_COLUMNS = (
    sa.column("ordinal", sa.Integer),
    sa.column("score", sa.Double),
    sa.column("fused", sa.Double),
    sa.column("lexical_rank", sa.BigInteger),
    sa.column("lexical_score", sa.Double),
    sa.column("dense_rank", sa.BigInteger),
    sa.column("dense_distance", sa.Double),
    *(
        sa.column(name, Memory.__table__.c[name].type)
        for name in (
            "id", "kind", "content", "role", "name", "session_id", "agent_id", "place",
            "occurred_at", "created_at", "importance", "pinned", "strength_days", "recalled_at",
            "generated_by", "metadata",
        )
    ),
    sa.column("tokens", sa.LargeBinary),
    sa.column("is_contested", sa.Boolean),
)  # fmt: skip

# A narrowing without a filter is known by its members alone, so its statement is constant too.
_PASSING = """
    passing AS MATERIALIZED (
        SELECT ordinal FROM memories
        WHERE owner_id = :owner_id AND tenant_id = :tenant_id AND archived_at IS NULL
            AND (expires_at IS NULL OR expires_at > :now)
            /*narrowing*/
    ),"""

_NARROWED = {
    "session_id": "AND session_id = :session_id",
    "agent_id": "AND agent_id = :agent_id",
    "kinds": "AND kind = ANY(CAST(:kinds AS text[]))",
    "as_of": "AND occurred_at <= :as_of",
    # What nothing may be made of is in no segment.
    "ordinals": "AND (ordinal = ANY(CAST(:ordinals AS integer[])) OR ordinal > :after "
    "OR NOT infer)",
    "after": "",
}


@dataclass(frozen=True, slots=True)
class Search:
    """Everything a recall's statement needs besides its scope."""

    values: dict[str, Any]
    """The bound values of the statement."""
    dense: DensePath
    model_id: int | None
    is_large: bool
    """Whether the keyword arm stops reading once it is sure of the best."""
    narrowed: tuple[str, ...] = ()
    """Members of the narrowing in force; their values are bound by the same names."""
    with_tokens: bool = False
    """Whether candidates come with the bits of their tokens; needs a model."""
    passing: sa.Select[Any] | None = None
    """Selects the ordinals that a filter lets through; ``None`` without a filter."""


@cache
def _text(
    dense: DensePath,
    model_id: int,
    narrowed: tuple[str, ...],
    *,
    is_filtered: bool,
    with_tokens: bool,
    is_large: bool = False,
) -> sa.TextualSelect:
    ways = {
        "exact": arms.QUERY_VECTOR + arms.EXACT + arms.NEAREST_MEMORIES,
        "bits": arms.QUERY_VECTOR + arms.BITS + arms.NEAREST_MEMORIES,
        "hnsw": arms.QUERY_VECTOR + arms.HNSW + arms.NEAREST_MEMORIES,
        "none": arms.NO_DENSE,
    }
    passing = _PASSING.replace("/*narrowing*/", " ".join(_NARROWED[name] for name in narrowed))
    keys = _FILTERED_KEYS if is_filtered else _EXPIRED_KEYS
    if narrowed:
        keys = passing + _FILTERED_KEYS
    is_narrow = is_filtered or bool(narrowed)
    lexical = arms.LEXICAL_OF_MANY if is_large else arms.LEXICAL
    parts = [keys, lexical, arms.BEST_MEMORIES, ways[dense], _FUSION, _HITS]
    statement = "SELECT * FROM (WITH " + "".join(parts) + ") AS h"  # noqa: S608  -- constants
    only = "IN (SELECT ordinal FROM ok)" if is_narrow else "NOT IN (SELECT ordinal FROM gone)"
    statement = statement.replace("/*lexical_filter*/", "AND key_ordinal " + only)
    statement = statement.replace("/*dense_filter*/", "AND key_ordinal " + only)
    number = str(int(model_id))
    tokens = "t.bits AS tokens" if with_tokens else "CAST(NULL AS bytea) AS tokens"
    statement = statement.replace("/*tokens*/", tokens)
    statement = statement.replace("/*token_bits*/", _LATE if with_tokens else "")
    statement = statement.replace("token_bits_0", "token_bits_" + number)
    statement = statement.replace("embeddings_0", "embeddings_" + number)
    statement = statement.replace("embedding_bits_0", "embedding_bits_" + number)
    statement = statement.replace("hnsw_0", "hnsw_" + number)
    # The driver reads a statement of over 4,096 characters anew each time.
    return sa.text(" ".join(statement.split())).columns(*_COLUMNS)


def reading(scope: Scope, asked: Search) -> Read:
    """Return the read of a recall without a filter, for use with others in one round trip."""
    assert asked.passing is None
    return Read(_statement(asked), _values(scope, asked))


def candidates(rows: Sequence[Sequence[Any]]) -> Sequence[Candidate]:
    """Return what a recall's rows say, best first."""
    return [Candidate(*row) for row in rows]


async def search(session: AsyncSession, scope: Scope, asked: Search) -> Sequence[Candidate]:
    """Run a recall; return candidates with what each arm said of them, best first."""
    statement = _statement(asked)
    if asked.passing is not None:
        passing = asked.passing.cte("passing").prefix_with("MATERIALIZED")
        statement = statement.add_cte(passing)
    return candidates((await session.execute(statement, _values(scope, asked))).all())


def _statement(asked: Search) -> sa.TextualSelect:
    return _text(
        asked.dense,
        asked.model_id or 0,
        asked.narrowed,
        is_filtered=asked.passing is not None,
        with_tokens=asked.with_tokens,
        is_large=asked.is_large,
    )


def _values(scope: Scope, asked: Search) -> dict[str, Any]:
    values = {"owner_id": scope.owner_id, **asked.values}
    return values | {"tenant_id": scope.tenant_id} if asked.narrowed else values
