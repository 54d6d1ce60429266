"""Memories that contradict each other: what finds them, kept, settled, listed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.facts.models import Conflict, Denial, StatementName
from app.facts.schemas import ConflictFound, ConflictListing, Contested, Named, Pair
from app.tenants.policies import ConflictPolicy
from app.tenants.schemas import Scope

# The latest so many of each name: a name in every statement tells none of them apart.
_NAMED_ALIKE = sa.text("""
    SELECT DISTINCT s.memory_ordinal AS ordinal FROM unnest(CAST(:names AS text[])) AS n (name)
    CROSS JOIN LATERAL (
        SELECT memory_ordinal FROM statement_names
        WHERE owner_id = :owner_id AND name_key = n.name AND memory_ordinal <> :ordinal
        ORDER BY memory_ordinal DESC LIMIT :limit OFFSET 0) s
    ORDER BY 1
""")

# Which memories hold most of a clause's words, rare ones first; stop words are no lexemes.
_HOLDING = sa.text("""
    SELECT k.ordinal, sum(k.weight) AS weight FROM (
        SELECT w.lexeme, CASE WHEN p.key_ordinal > 0 THEN p.key_ordinal ELSE (
                SELECT memory_ordinal FROM memory_keys m
                WHERE m.owner_id = :owner_id AND m.ordinal = p.key_ordinal) END AS ordinal,
            max(w.weight) AS weight
        FROM unnest(CAST(:stems AS text[]), CAST(:weights AS float8[])) AS w (lexeme, weight)
        CROSS JOIN LATERAL (
            SELECT key_ordinal FROM postings
            WHERE owner_id = :owner_id AND lexeme = w.lexeme COLLATE "C"
            LIMIT :budget OFFSET 0) p
        GROUP BY 1, 2) k
    WHERE k.ordinal <> :ordinal
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :limit
""")

_DENIALS = sa.text("""
    SELECT d.memory_ordinal AS ordinal, d.clause, d.stems FROM denials d
    WHERE d.owner_id = :owner_id ORDER BY d.memory_ordinal DESC, d.no LIMIT :limit
""")

_KEEP = sa.text("""
    INSERT INTO conflicts (owner_id, id, older_ordinal, newer_ordinal, detector, score, detected_at)
    SELECT :owner_id, p.id, p.older, p.newer, p.detector, p.score, :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:older AS integer[]), CAST(:newer AS integer[]),
            CAST(:detectors AS text[]), CAST(:scores AS float8[])) WITH ORDINALITY
        AS p (id, older, newer, detector, score, no)
    ORDER BY p.no
    ON CONFLICT (owner_id, older_ordinal, newer_ordinal)
    DO UPDATE SET detector = excluded.detector, score = excluded.score
    WHERE (conflicts.detector, conflicts.score) IS DISTINCT FROM (excluded.detector, excluded.score)
""")

# Who holds by the owner's policy: what somebody decided counts first; a change has a newer side,
# a denial of what was said has none.
_SIDES = """
    CROSS JOIN LATERAL (
        SELECT id, name, role, content, occurred_at, agent_id FROM memories
        WHERE owner_id = :owner_id AND ordinal = c.older_ordinal AND archived_at IS NULL
            AND (expires_at IS NULL OR expires_at > :now) OFFSET 0) a
    CROSS JOIN LATERAL (
        SELECT id, name, role, content, occurred_at, agent_id FROM memories
        WHERE owner_id = :owner_id AND ordinal = c.newer_ordinal AND archived_at IS NULL
            AND (expires_at IS NULL OR expires_at > :now) OFFSET 0) b
    CROSS JOIN LATERAL (SELECT
        CAST(coalesce(CAST(:trust AS jsonb) ->> a.name, CAST(:trust AS jsonb) ->> a.role, '0.5')
            AS float8) AS older,
        CAST(coalesce(CAST(:trust AS jsonb) ->> b.name, CAST(:trust AS jsonb) ->> b.role, '0.5')
            AS float8) AS newer) t
    CROSS JOIN LATERAL (SELECT
    CASE WHEN c.resolution IS NOT NULL THEN c.resolution
        WHEN :rule = 'source-trust' AND t.newer > t.older THEN 'newer'
        WHEN :rule = 'source-trust' AND t.newer < t.older THEN 'older'
        WHEN :rule IN ('newest-wins', 'source-trust') AND c.detector <> 'denial' THEN 'newer'
    END AS winner) w"""
# Assembled from constant pieces only.
_LIST = """
    SELECT c.conflict_no, c.id, c.detector, c.score, c.detected_at, c.resolved_at, c.resolution,
        w.winner, a.id AS older_id, a.content AS older_content, a.name AS older_name,
        a.role AS older_role, a.occurred_at AS older_at, b.id AS newer_id,
        b.content AS newer_content, b.name AS newer_name, b.role AS newer_role,
        b.occurred_at AS newer_at
    FROM conflicts c /*sides*/
    WHERE c.owner_id = :owner_id """.replace("/*sides*/", _SIDES)
_PAGE = sa.text(
    _LIST
    + """
        AND (CAST(:agent_id AS text) IS NULL OR a.agent_id = :agent_id)
        AND (:status = 'all' OR (w.winner IS NULL) = (:status = 'open'))
        AND (CAST(:before AS bigint) IS NULL OR c.conflict_no < :before)
    ORDER BY c.conflict_no DESC LIMIT :limit
"""
)
_ONE = sa.text(_LIST + "AND c.id = :id")
_CONTESTED = sa.text(
    """
    SELECT c.older_ordinal AS older, c.newer_ordinal AS newer, w.winner, c.score,
        a.id AS older_id, b.id AS newer_id
    FROM (
        SELECT * FROM conflicts WHERE owner_id = :owner_id
            AND older_ordinal = ANY(CAST(:ordinals AS integer[]))
        UNION
        SELECT * FROM conflicts WHERE owner_id = :owner_id
            AND newer_ordinal = ANY(CAST(:ordinals AS integer[]))) c /*sides*/
    WHERE w.winner IS DISTINCT FROM 'both' ORDER BY c.conflict_no
""".replace("/*sides*/", _SIDES)
)


def _policy(policy: ConflictPolicy) -> dict[str, Any]:
    return {"rule": policy.rule, "trust": json.dumps(policy.trust)}


async def name(session: AsyncSession, scope: Scope, named: Mapping[int, Sequence[str]]) -> None:
    """Hold which names memories name, instead of what was held; needs the owner's lock."""
    await session.execute(
        sa.delete(StatementName).where(
            StatementName.owner_id == scope.owner_id,
            StatementName.memory_ordinal.in_(named),
        )
    )
    rows = [
        {"owner_id": scope.owner_id, "name_key": key, "memory_ordinal": ordinal}
        for ordinal, keys in named.items()
        for key in keys
    ]
    if rows:
        await session.execute(insert(StatementName).values(rows))


async def deny(
    session: AsyncSession, scope: Scope, denied: Mapping[int, Sequence[tuple[str, Sequence[str]]]]
) -> None:
    """Hold which clauses memories deny, with their stems, instead of what was held."""
    await session.execute(
        sa.delete(Denial).where(
            Denial.owner_id == scope.owner_id, Denial.memory_ordinal.in_(denied)
        )
    )
    rows = [
        {"owner_id": scope.owner_id, "memory_ordinal": ordinal, "no": no, "clause": clause,
         "stems": list(stems)}
        for ordinal, clauses in denied.items()
        for no, (clause, stems) in enumerate(clauses, 1)
    ]  # fmt: skip
    if rows:
        await session.execute(insert(Denial).values(rows))


async def named_alike(
    session: AsyncSession, scope: Scope, ordinal: int, names: Sequence[str], *, limit: int
) -> Sequence[int]:
    """Return other statements that name one of the same."""
    values = {"owner_id": scope.owner_id, "ordinal": ordinal, "names": list(names), "limit": limit}
    return (await session.scalars(_NAMED_ALIKE, values)).all()


async def holding(
    session: AsyncSession,
    scope: Scope,
    ordinal: int,
    weights: Mapping[str, float],
    *,
    limit: int,
    budget: int,
) -> dict[int, float]:
    """Return other memories by how much of a clause's weighted stems they hold, most first."""
    values = {
        "owner_id": scope.owner_id,
        "ordinal": ordinal,
        "stems": list(weights),
        "weights": list(weights.values()),
        "limit": limit,
        "budget": budget,
    }
    return {row.ordinal: row.weight for row in await session.execute(_HOLDING, values)}


async def denials(session: AsyncSession, scope: Scope, *, limit: int) -> list[Named]:
    """Return the latest clauses that an owner's memories deny."""
    values = {"owner_id": scope.owner_id, "limit": limit}
    rows = await session.execute(_DENIALS, values)
    return [Named(row.ordinal, row.clause, frozenset(row.stems)) for row in rows]


async def keep(
    session: AsyncSession,
    scope: Scope,
    of: Sequence[int],
    pairs: Sequence[Pair],
    ids: Sequence[UUID],
    *,
    now: datetime,
) -> None:
    """Hold these conflicts of some memories, and no others; what was settled stays settled."""
    wanted = sa.tuple_(Conflict.older_ordinal, Conflict.newer_ordinal)
    gone = sa.delete(Conflict).where(
        Conflict.owner_id == scope.owner_id,
        sa.or_(Conflict.older_ordinal.in_(of), Conflict.newer_ordinal.in_(of)),
        Conflict.resolution.is_(None),
    )
    if pairs:
        gone = gone.where(wanted.not_in([(one.older, one.newer) for one in pairs]))
    await session.execute(gone)
    if pairs:
        values = {
            "owner_id": scope.owner_id,
            "ids": list(ids),
            "older": [one.older for one in pairs],
            "newer": [one.newer for one in pairs],
            "detectors": [one.detector for one in pairs],
            "scores": [one.score for one in pairs],
            "now": now,
        }
        await session.execute(_KEEP, values)


async def page(session: AsyncSession, scope: Scope, asked: ConflictListing) -> list[ConflictFound]:
    """Return conflicts of live memories, those found last first."""
    values = {
        "owner_id": scope.owner_id,
        "now": asked.now,
        "agent_id": asked.agent_id,
        "status": asked.status,
        "before": asked.before,
        "limit": asked.limit,
        **_policy(asked.policy),
    }
    rows = await session.execute(_PAGE, values)
    return [ConflictFound(**row) for row in rows.mappings()]


async def find(
    session: AsyncSession, scope: Scope, id_: UUID, policy: ConflictPolicy, *, now: datetime
) -> ConflictFound | None:
    """Return one conflict of live memories."""
    values = {"owner_id": scope.owner_id, "id": id_, "now": now, **_policy(policy)}
    row = (await session.execute(_ONE, values)).mappings().one_or_none()
    return None if row is None else ConflictFound(**row)


async def settle(
    session: AsyncSession, scope: Scope, id_: UUID, resolution: str | None, *, now: datetime
) -> None:
    """Note what somebody decided; ``None`` leaves it to the policy again."""
    statement = (
        sa.update(Conflict)
        .where(Conflict.owner_id == scope.owner_id, Conflict.id == id_)
        .values(resolution=resolution, resolved_at=None if resolution is None else now)
    )
    await session.execute(statement)


async def contested(
    session: AsyncSession,
    scope: Scope,
    ordinals: Sequence[int],
    policy: ConflictPolicy,
    *,
    now: datetime,
) -> list[Contested]:
    """Return the conflicts of some memories with others that are live."""
    values = {
        "owner_id": scope.owner_id,
        "ordinals": list(ordinals),
        "now": now,
        **_policy(policy),
    }
    return [Contested(*row) for row in await session.execute(_CONTESTED, values)]
