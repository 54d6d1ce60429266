"""Every SQL statement of the room."""

from collections.abc import Sequence
from dataclasses import asdict, fields

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.kit.halfvecs import HalfVectors
from app.memories.service import Stream, as_parameter
from app.segmentation.models import Segment
from app.segmentation.schemas import Kept, Listing, Made, Within
from app.tenants.schemas import Scope

# A segment that has lost a turn is cut anew by the next task; till then it names the others. No
# vector is kept that the turn had a part in.
_FORGET = sa.text("""
    UPDATE segments SET is_stale = true, means = '{}',
        members = ARRAY(
            SELECT u.m FROM unnest(members) WITH ORDINALITY AS u (m, no)
            WHERE u.m <> ALL(CAST(:ordinals AS integer[])) ORDER BY u.no),
        representatives = ARRAY(
            SELECT u.r FROM unnest(representatives) WITH ORDINALITY AS u (r, no)
            WHERE u.r <> ALL(CAST(:ordinals AS integer[])) ORDER BY u.no)
    WHERE owner_id = :owner_id AND members && CAST(:ordinals AS integer[])
""")

_INSERT = sa.text("""
    INSERT INTO segments (owner_id, first_ordinal, last_ordinal, session_id, agent_id, reason,
        noticed_ordinal, surprise, needs_ordinal, members, representatives, started_at, ended_at,
        is_stale, model_id, means)
    VALUES (:owner_id, :first_ordinal, :last_ordinal, :session_id, :agent_id, :reason,
        :noticed_ordinal, :surprise, :needs_ordinal, :members, :representatives, :started_at,
        :ended_at, :is_stale, :model_id, CAST(:means AS halfvec[]))
""")

# A stale segment has no means, and one of another model none that could be compared.
_RELEVANT = sa.text("""
    WITH scored AS MATERIALIZED (
        SELECT s.first_ordinal, s.last_ordinal, s.members, c.cosine
        FROM segments s CROSS JOIN LATERAL (
            SELECT max(1 - (u.mean <=> CAST(:vector AS halfvec))) AS cosine
            FROM unnest(CASE WHEN s.model_id = :model_id THEN s.means ELSE '{}' END) AS u (mean)
            OFFSET 0) c
        WHERE s.owner_id = :owner_id
    ), chosen AS (
        (SELECT members FROM scored WHERE cosine IS NOT NULL
         ORDER BY cosine DESC, first_ordinal LIMIT :k)
        UNION ALL
        SELECT members FROM scored WHERE cosine IS NULL
    )
    SELECT (SELECT max(last_ordinal) FROM scored) AS after,
        ARRAY(SELECT m FROM chosen CROSS JOIN LATERAL unnest(members) AS u (m)) AS ordinals
""")

_COLUMNS = [Segment.__table__.c[field.name] for field in fields(Kept)]


async def first_that_needs(
    session: AsyncSession, scope: Scope, stream: Stream, ordinal: int
) -> Kept | None:
    """Return the first segment of a stream whose end depends on a turn, or on what follows it."""
    needs = Segment.needs_ordinal
    statement = _of(scope).where(_in(stream), sa.or_(needs.is_(None), needs >= ordinal)).limit(1)
    return next(iter(await _read(statement, session)), None)


async def since(session: AsyncSession, scope: Scope, stream: Stream, ordinal: int) -> list[Kept]:
    """Return the segments of a stream that begin at an ordinal or behind it."""
    return await _read(_of(scope).where(_in(stream), Segment.first_ordinal >= ordinal), session)


async def first_stale(session: AsyncSession, scope: Scope, model_id: int) -> Kept | None:
    """Return the first segment that is to be cut anew: it lost turns, or its model is another."""
    is_stale = sa.or_(Segment.is_stale, Segment.model_id != model_id)
    return next(iter(await _read(_of(scope).where(is_stale).limit(1), session)), None)


def _of(scope: Scope) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(*_COLUMNS)
        .where(Segment.owner_id == scope.owner_id)
        .order_by(Segment.first_ordinal)
    )


def _in(stream: Stream) -> sa.ColumnElement[bool]:
    session_id = Segment.session_id
    return sa.and_(
        session_id.is_(None) if stream.session_id is None else session_id == stream.session_id,
        Segment.agent_id.is_not_distinct_from(stream.agent_id),
    )


async def _read(statement: sa.Select[tuple[object, ...]], session: AsyncSession) -> list[Kept]:
    rows = await session.execute(statement)
    return [Kept(**row) for row in rows.mappings()]


async def replace(
    session: AsyncSession, scope: Scope, old: Sequence[Kept], new: Sequence[Made]
) -> None:
    """Put segments in the place of others; needs the owner's lock."""
    if old:
        gone = [one.first_ordinal for one in old]
        await session.execute(
            sa.delete(Segment).where(
                Segment.owner_id == scope.owner_id, Segment.first_ordinal.in_(gone)
            )
        )
    if new:
        rows = [
            {"owner_id": scope.owner_id, **asdict(one.kept), "means": HalfVectors(one.means)}
            for one in new
        ]
        await session.execute(_INSERT, rows)


async def forget(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Take turns out of their segments; needs the owner's lock."""
    await session.execute(_FORGET, {"owner_id": scope.owner_id, "ordinals": list(ordinals)})


async def relevant(
    session: AsyncSession, scope: Scope, model_id: int, vector: Vectors, *, k: int
) -> Within | None:
    """Return the turns of the ``k`` segments with a mean nearest to a vector [d], ties by age."""
    values = {
        "owner_id": scope.owner_id,
        "model_id": model_id,
        "vector": as_parameter(vector),
        "k": k,
    }
    row = (await session.execute(_RELEVANT, values)).one()
    return None if row.after is None else Within(row.ordinals, row.after)


async def page(session: AsyncSession, scope: Scope, asked: Listing) -> list[Kept]:
    """Return segments, the newest first, from behind ordinal ``before``."""
    statement = (
        sa.select(*_COLUMNS)
        .where(Segment.owner_id == scope.owner_id, sa.func.cardinality(Segment.members) > 0)
        .order_by(Segment.first_ordinal.desc())
        .limit(asked.limit)
    )
    for column, wanted in (
        (Segment.agent_id, asked.agent_id),
        (Segment.session_id, asked.session_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if asked.before is not None:
        statement = statement.where(Segment.first_ordinal < asked.before)
    return await _read(statement, session)
