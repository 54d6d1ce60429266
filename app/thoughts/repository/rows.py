"""Thoughts: stored, replaced, brought back; and how an owner's are hashed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.statements import head_key, relation_key
from app.tenants.schemas import Scope
from app.thoughts.kernel.organising import Forgetting, Merging
from app.thoughts.models import Thought, ThoughtHash
from app.thoughts.schemas import Draft, Placed

# Tails are an array per row: joined by a character that no text of ours can hold a second time.
_SEPARATOR = "\x1f"

_INSERT = sa.text("""
    INSERT INTO thoughts (owner_id, memory_ordinal, agent_id, head, relation, tails, head_key,
        relation_key, hash_version, bucket, is_organised, valid_from)
    SELECT :owner_id, t.ordinal, t.agent_id, t.head, t.relation,
        string_to_array(t.tails, chr(31)), t.head_key, t.relation_key, t.hash_version, t.bucket,
        :is_organised, t.valid_from
    FROM unnest(
        CAST(:ordinals AS integer[]), CAST(:agent_ids AS text[]), CAST(:heads AS text[]),
        CAST(:relations AS text[]), CAST(:tails AS text[]), CAST(:head_keys AS text[]),
        CAST(:relation_keys AS text[]), CAST(:hash_versions AS integer[]),
        CAST(:buckets AS smallint[]), CAST(:valid_from AS timestamptz[])
    ) AS t (ordinal, agent_id, head, relation, tails, head_key, relation_key, hash_version,
            bucket, valid_from)
""")

_REPLACE = sa.text("""
    UPDATE thoughts t SET status = r.status, replaced_by = r.successor, valid_to = r.at
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:statuses AS text[]),
                CAST(:successors AS integer[]), CAST(:times AS timestamptz[]))
        AS r (ordinal, status, successor, at)
    WHERE t.owner_id = :owner_id AND t.memory_ordinal = r.ordinal
""")

_REVIVE = sa.text("""
    UPDATE thoughts SET status = 'active', replaced_by = NULL, valid_to = NULL,
        is_organised = false
    WHERE owner_id = :owner_id AND replaced_by = ANY(CAST(:ordinals AS integer[]))
        AND memory_ordinal <> ALL(CAST(:ordinals AS integer[]))
    RETURNING memory_ordinal
""")

# Down to all that was merged into them, and up to what they were merged into.
_MERGED_WITH = sa.text("""
    WITH RECURSIVE below (ordinal) AS (
        SELECT memory_ordinal FROM thoughts
        WHERE owner_id = :owner_id AND memory_ordinal = ANY(CAST(:ordinals AS integer[]))
        UNION
        SELECT t.memory_ordinal FROM below JOIN thoughts t
            ON t.owner_id = :owner_id AND t.replaced_by = below.ordinal AND t.status = 'merged'
    ), above (ordinal) AS (
        SELECT replaced_by FROM thoughts
        WHERE owner_id = :owner_id AND memory_ordinal = ANY(CAST(:ordinals AS integer[]))
            AND status = 'merged'
        UNION
        SELECT t.replaced_by FROM above JOIN thoughts t
            ON t.owner_id = :owner_id AND t.memory_ordinal = above.ordinal AND t.status = 'merged'
    )
    SELECT ordinal FROM below UNION SELECT ordinal FROM above WHERE ordinal IS NOT NULL ORDER BY 1
""")

_REHASH = sa.text("""
    UPDATE thoughts t SET bucket = h.bucket, hash_version = :version, is_organised = false
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:buckets AS smallint[])) AS h (ordinal, bucket)
    WHERE t.owner_id = :owner_id AND t.memory_ordinal = h.ordinal
""")


async def insert(
    session: AsyncSession,
    scope: Scope,
    ordinals: Sequence[int],
    drafts: Sequence[Draft],
    placed: Sequence[Placed],
    *,
    is_organised: bool = False,
) -> None:
    """Store what makes memories thoughts; one draft and place for each ordinal."""
    values = {
        "owner_id": scope.owner_id,
        "is_organised": is_organised,
        "ordinals": list(ordinals),
        "agent_ids": [one.agent_id for one in drafts],
        "heads": [one.head for one in drafts],
        "relations": [one.relation for one in drafts],
        "tails": [_SEPARATOR.join(one.tails) for one in drafts],
        "head_keys": [head_key(one.head) for one in drafts],
        "relation_keys": [_key(one.relation) for one in drafts],
        "hash_versions": [one.hash_version for one in placed],
        "buckets": [one.bucket for one in placed],
        "valid_from": [one.valid_from for one in drafts],
    }
    await session.execute(_INSERT, values)


def _key(relation: str | None) -> str | None:
    return None if relation is None else relation_key(relation)


async def replace(
    session: AsyncSession, scope: Scope, replaced: Sequence[Forgetting | Merging]
) -> None:
    """Make thoughts tombstones that name the one which took their place."""
    is_forgotten = [isinstance(one, Forgetting) for one in replaced]
    values = {
        "owner_id": scope.owner_id,
        "ordinals": [one.ordinal for one in replaced],
        "statuses": ["forgotten" if forgotten else "merged" for forgotten in is_forgotten],
        "successors": [
            one.forgotten_for if isinstance(one, Forgetting) else one.merged_into
            for one in replaced
        ],
        "times": [one.at if isinstance(one, Forgetting) else None for one in replaced],
    }
    await session.execute(_REPLACE, values)


async def revive(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> list[int]:
    """Make active again what these thoughts had replaced, to be organised anew; return which."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return list((await session.scalars(_REVIVE, values)).all())


async def merged_with(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> list[int]:
    """Return those of the memories that are thoughts, with their parts, and what they are part of.

    Parts of what they are part of are left out, unless they are their own.
    """
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
    return list((await session.scalars(_MERGED_WITH, values)).all())


async def by_ordinals(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Sequence[Thought]:
    """Return thoughts by their ordinals, ascending."""
    statement = (
        sa.select(Thought)
        .where(Thought.owner_id == scope.owner_id, Thought.memory_ordinal.in_(ordinals))
        .order_by(Thought.memory_ordinal)
    )
    return (await session.scalars(statement)).all()


async def set_organised(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Note that these thoughts need no look until something changes around them."""
    statement = sa.update(Thought).where(
        Thought.owner_id == scope.owner_id, Thought.memory_ordinal.in_(ordinals)
    )
    await session.execute(statement.values(is_organised=True))


async def latest_hash(session: AsyncSession, scope: Scope) -> ThoughtHash | None:
    """Return how the owner's thoughts are hashed; ``None`` before the first."""
    statement = (
        sa.select(ThoughtHash)
        .where(ThoughtHash.owner_id == scope.owner_id)
        .order_by(ThoughtHash.version.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def add_hash(session: AsyncSession, scope: Scope, made: ThoughtHash) -> None:
    """Store a new version of the hash; needs the owner's lock."""
    made.owner_id = scope.owner_id
    session.add(made)
    await session.flush()


async def outdated(
    session: AsyncSession, scope: Scope, version: int, *, limit: int
) -> Sequence[Thought]:
    """Return thoughts whose bucket was chosen by an older version of the hash."""
    statement = (
        sa.select(Thought)
        .where(Thought.owner_id == scope.owner_id, Thought.hash_version < version)
        .order_by(Thought.hash_version, Thought.bucket, Thought.memory_ordinal)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def rehash(
    session: AsyncSession,
    scope: Scope,
    version: int,
    ordinals: Sequence[int],
    buckets: Sequence[int],
) -> None:
    """Put thoughts into the buckets of another version of the hash."""
    values = {
        "owner_id": scope.owner_id,
        "version": version,
        "ordinals": list(ordinals),
        "buckets": list(buckets),
    }
    await session.execute(_REHASH, values)


async def forget_hashes(session: AsyncSession, scope: Scope, *, before: int) -> None:
    """Delete versions of the hash that no thought lies under any more."""
    statement = sa.delete(ThoughtHash).where(
        ThoughtHash.owner_id == scope.owner_id, ThoughtHash.version < before
    )
    await session.execute(statement)
