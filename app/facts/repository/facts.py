"""Facts: replaced group by group, listed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.facts.models import Fact
from app.facts.schemas import Found, Group, Listing
from app.kit.statements import head_key, relation_key
from app.tenants.schemas import Scope

_OF_GROUPS = sa.text("""
    SELECT f.* FROM unnest(CAST(:agents AS text[]), CAST(:subjects AS text[]),
            CAST(:groups AS text[])) AS g (agent_id, subject_key, group_key)
    CROSS JOIN LATERAL (
        SELECT * FROM facts
        WHERE owner_id = :owner_id AND subject_key = g.subject_key AND group_key = g.group_key
            AND agent_id IS NOT DISTINCT FROM g.agent_id OFFSET 0) f
    ORDER BY f.fact_no
""").columns(*Fact.__table__.c)

# A fact stands on the live ones among its memories; OFFSET 0 has each looked up by key.
_PAGE = sa.text("""
    SELECT f.fact_no, f.id, f.subject, f.relation, f.object, f.is_functional, f.valid_from,
        f.valid_to, f.known_from, f.known_to, f.confidence, f.generated_by, s.source_ids
    FROM facts f
    CROSS JOIN LATERAL (
        SELECT array_agg(m.id ORDER BY m.ordinal) AS source_ids
        FROM unnest(f.source_ordinals) AS o (ordinal)
        CROSS JOIN LATERAL (
            SELECT id, ordinal, archived_at, expires_at FROM memories
            WHERE owner_id = :owner_id AND ordinal = o.ordinal OFFSET 0) m
        WHERE m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > :now)) s
    WHERE f.owner_id = :owner_id AND s.source_ids IS NOT NULL
        AND (CAST(:agent_id AS text) IS NULL OR f.agent_id = :agent_id)
        AND (CAST(:subject_key AS text) IS NULL OR f.subject_key = :subject_key)
        AND (CAST(:relation_key AS text) IS NULL OR f.relation_key = :relation_key)
        AND (CAST(:as_of AS timestamptz) IS NULL
            OR f.valid_from <= :as_of AND (f.valid_to IS NULL OR f.valid_to > :as_of))
        AND f.known_from <= :known_at AND (f.known_to IS NULL OR f.known_to > :known_at)
        AND (CAST(:before AS bigint) IS NULL OR f.fact_no < :before)
    ORDER BY f.fact_no DESC LIMIT :limit
""")


async def of_groups(session: AsyncSession, scope: Scope, groups: Sequence[Group]) -> Sequence[Fact]:
    """Return all facts of groups, also those that we know otherwise by now."""
    values = {
        "owner_id": scope.owner_id,
        "agents": [one.agent_id for one in groups],
        "subjects": [one.subject_key for one in groups],
        "groups": [one.group_key for one in groups],
    }
    statement = sa.select(Fact).from_statement(_OF_GROUPS)
    return (await session.scalars(statement, values)).all()


async def replace(
    session: AsyncSession, scope: Scope, old: Sequence[Fact], new: Sequence[Fact]
) -> None:
    """Delete facts and store others; needs the owner's lock."""
    if old:
        gone = sa.delete(Fact).where(
            Fact.owner_id == scope.owner_id, Fact.fact_no.in_([one.fact_no for one in old])
        )
        await session.execute(gone)
    for one in new:
        one.owner_id = scope.owner_id
        session.add(one)
        await session.flush()  # one by one: their numbers follow the order in which we learned


async def page(session: AsyncSession, scope: Scope, asked: Listing) -> list[Found]:
    """Return facts that stand on a live memory, those learned last first."""
    values = {
        "owner_id": scope.owner_id,
        "now": asked.now,
        "agent_id": asked.agent_id,
        "subject_key": None if asked.subject is None else head_key(asked.subject),
        "relation_key": None if asked.relation is None else relation_key(asked.relation),
        "as_of": asked.as_of,
        "known_at": asked.known_at or asked.now,
        "before": asked.before,
        "limit": asked.limit,
    }
    rows = await session.execute(_PAGE, values)
    return [Found(**row) for row in rows.mappings()]
