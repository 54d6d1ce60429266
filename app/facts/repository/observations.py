"""What memories say of facts: kept, retired, read by group."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.facts.models import FactObservation
from app.facts.schemas import Group
from app.tenants.schemas import Scope

_OF_GROUPS = sa.text("""
    SELECT o.* FROM unnest(CAST(:agents AS text[]), CAST(:subjects AS text[]),
            CAST(:groups AS text[])) AS g (agent_id, subject_key, group_key)
    CROSS JOIN LATERAL (
        SELECT * FROM fact_observations
        WHERE owner_id = :owner_id AND subject_key = g.subject_key AND group_key = g.group_key
            AND agent_id IS NOT DISTINCT FROM g.agent_id OFFSET 0) o
    ORDER BY o.memory_ordinal, o.no
""").columns(*FactObservation.__table__.c)

# Hidden memories say nothing, also in the moment before their observations are retired.
_OF_RELATION = sa.text("""
    SELECT o.* FROM fact_observations o
    JOIN memories m ON m.owner_id = o.owner_id AND m.ordinal = o.memory_ordinal
    WHERE o.owner_id = :owner_id AND o.subject_key = :subject_key
        AND o.relation_key = :relation_key
        AND (CAST(:agent_id AS text) IS NULL OR o.agent_id = :agent_id)
        AND o.known_from <= :known_at AND (o.known_to IS NULL OR o.known_to > :known_at)
        AND m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > :now)
    ORDER BY o.valid_from, o.memory_ordinal, o.no LIMIT :limit
""").columns(*FactObservation.__table__.c)


async def of_memories(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Sequence[FactObservation]:
    """Return all observations of memories, retired ones too."""
    statement = (
        sa.select(FactObservation)
        .where(
            FactObservation.owner_id == scope.owner_id,
            FactObservation.memory_ordinal.in_(ordinals),
        )
        .order_by(FactObservation.memory_ordinal, FactObservation.no)
    )
    return (await session.scalars(statement)).all()


async def of_groups(
    session: AsyncSession, scope: Scope, groups: Sequence[Group]
) -> Sequence[FactObservation]:
    """Return all observations of groups, retired ones too."""
    values = {
        "owner_id": scope.owner_id,
        "agents": [one.agent_id for one in groups],
        "subjects": [one.subject_key for one in groups],
        "groups": [one.group_key for one in groups],
    }
    statement = sa.select(FactObservation).from_statement(_OF_GROUPS)
    return (await session.scalars(statement, values)).all()


async def of_relation(  # noqa: PLR0913  -- one call, plain facts
    session: AsyncSession,
    scope: Scope,
    subject_key: str,
    relation_key: str,
    *,
    agent_id: str | None,
    known_at: datetime,
    now: datetime,
    limit: int,
) -> Sequence[FactObservation]:
    """Return what was known of a subject's relation, by the world's time."""
    values = {
        "owner_id": scope.owner_id,
        "subject_key": subject_key,
        "relation_key": relation_key,
        "agent_id": agent_id,
        "known_at": known_at,
        "now": now,
        "limit": limit,
    }
    statement = sa.select(FactObservation).from_statement(_OF_RELATION)
    return (await session.scalars(statement, values)).all()


async def add(session: AsyncSession, scope: Scope, observations: Sequence[FactObservation]) -> None:
    """Store observations; needs the owner's lock."""
    for one in observations:
        one.owner_id = scope.owner_id
    session.add_all(observations)
    await session.flush()


async def delete_of(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Delete all that memories said."""
    statement = sa.delete(FactObservation).where(
        FactObservation.owner_id == scope.owner_id, FactObservation.memory_ordinal.in_(ordinals)
    )
    await session.execute(statement)
