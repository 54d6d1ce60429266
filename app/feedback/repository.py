"""Every SQL statement of the room."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.feedback.models import RecallRow, VoteRow
from app.feedback.schemas import Ballot, Near, Recall
from app.memories.service import as_parameter
from app.tenants.schemas import Scope

# An owner that is erased meanwhile waits for us, or is gone and gets no row.
_NOTE = sa.text("""
    WITH there AS (
        SELECT owner_id FROM owners
        WHERE tenant_id = :tenant_id AND owner_id = ANY(CAST(:owner_ids AS bigint[]))
        ORDER BY owner_id FOR KEY SHARE
    )
    INSERT INTO recalls (tenant_id, recall_id, owner_id, agent_id, model_id, query, ordinals,
        predictions)
    SELECT :tenant_id, r.recall_id, r.owner_id, r.agent_id, r.model_id,
        CAST(r.query AS halfvec), CAST(r.ordinals AS integer[]), CAST(r.predictions AS real[])
    FROM unnest(
        CAST(:recall_ids AS uuid[]), CAST(:owner_ids AS bigint[]), CAST(:agent_ids AS text[]),
        CAST(:model_ids AS smallint[]), CAST(:queries AS text[]), CAST(:ordinals AS text[]),
        CAST(:predictions AS text[])
    ) AS r (recall_id, owner_id, agent_id, model_id, query, ordinals, predictions)
    JOIN there ON there.owner_id = r.owner_id
    ON CONFLICT DO NOTHING
""")

_VOTE = sa.text("""
    INSERT INTO votes (owner_id, slot, recall_id, memory_ordinal, model_id, query, rank,
        predicted, useful, at)
    SELECT :owner_id, :slot, r.recall_id, :memory_ordinal, r.model_id, r.query, :rank,
        :predicted, :useful, :at
    FROM recalls r WHERE r.tenant_id = :tenant_id AND r.recall_id = :recall_id
    ON CONFLICT (owner_id, slot) DO UPDATE SET recall_id = excluded.recall_id,
        memory_ordinal = excluded.memory_ordinal, model_id = excluded.model_id,
        query = excluded.query, rank = excluded.rank, predicted = excluded.predicted,
        useful = excluded.useful, at = excluded.at
""")

# The model first: vectors of different models may not be compared.
_NEAR = sa.text("""
    SELECT memory_ordinal, useful - predicted AS error, at, cosine FROM (
        SELECT memory_ordinal, useful, predicted, at,
            1 - (CASE WHEN model_id = :model_id THEN query END <=> CAST(:vector AS halfvec))
                AS cosine
        FROM votes WHERE owner_id = :owner_id OFFSET 0) v
    WHERE cosine >= :least ORDER BY cosine DESC, at DESC
""")


async def note(session: AsyncSession, tenant_id: UUID, recalls: Sequence[Recall]) -> None:
    """Keep recalls of a tenant, but for owners that are gone."""
    await session.execute(
        _NOTE,
        {
            "tenant_id": tenant_id,
            "recall_ids": [one.recall_id for one in recalls],
            "owner_ids": [one.owner_id for one in recalls],
            "agent_ids": [one.agent_id for one in recalls],
            "model_ids": [one.model_id for one in recalls],
            "queries": [_text(one.query) for one in recalls],
            "ordinals": [_array(one.ordinals) for one in recalls],
            "predictions": [_array(one.predictions) for one in recalls],
        },
    )


def _text(vector: Vectors | None) -> str | None:
    return None if vector is None else "[" + ",".join(f"{x:.5g}" for x in vector.tolist()) + "]"


def _array(values: Sequence[float]) -> str:
    return (
        "{" + ",".join(f"{value:.6g}" if value % 1 else str(int(value)) for value in values) + "}"
    )


async def recall(session: AsyncSession, tenant_id: UUID, recall_id: UUID) -> Recall | None:
    """Return a recall that may be voted on, without its query."""
    statement = sa.select(
        RecallRow.owner_id, RecallRow.agent_id, RecallRow.ordinals, RecallRow.predictions
    ).where(RecallRow.tenant_id == tenant_id, RecallRow.recall_id == recall_id)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    return Recall(
        tenant_id, recall_id, row.owner_id, row.agent_id, None, None, row.ordinals, row.predictions
    )


async def prune(session: AsyncSession, tenant_id: UUID, *, before: UUID) -> None:
    """Forget recalls with an id, which holds their time, below ``before``."""
    await session.execute(
        sa.delete(RecallRow).where(RecallRow.tenant_id == tenant_id, RecallRow.recall_id < before)
    )


async def said_before(session: AsyncSession, scope: Scope, ballot: Ballot) -> float | None:
    """Return what an earlier vote said of the same hit; ``None``: there is none."""
    statement = sa.select(VoteRow.useful).where(*_same(scope, ballot))
    return (await session.scalars(statement)).one_or_none()


async def change(session: AsyncSession, scope: Scope, ballot: Ballot) -> None:
    """Let an earlier vote on the same hit say something else; needs the owner's lock."""
    statement = sa.update(VoteRow).where(*_same(scope, ballot))
    await session.execute(statement.values(useful=ballot.useful, at=ballot.at))


def _same(scope: Scope, ballot: Ballot) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        VoteRow.owner_id == scope.owner_id,
        VoteRow.recall_id == ballot.recall_id,
        VoteRow.memory_ordinal == ballot.memory_ordinal,
    )


async def store(session: AsyncSession, scope: Scope, ballot: Ballot, *, slot: int) -> None:
    """Put a vote into a slot, whatever was there; needs the owner's lock."""
    values = {
        "owner_id": scope.owner_id,
        "tenant_id": scope.tenant_id,
        "slot": slot,
        "recall_id": ballot.recall_id,
        "memory_ordinal": ballot.memory_ordinal,
        "rank": ballot.rank,
        "predicted": ballot.predicted,
        "useful": ballot.useful,
        "at": ballot.at,
    }
    await session.execute(_VOTE, values)


async def near(
    session: AsyncSession, scope: Scope, model_id: int, vector: Vectors, *, least: float
) -> list[Near]:
    """Return the votes on questions with a cosine of at least ``least`` to a vector [d]."""
    values = {
        "owner_id": scope.owner_id,
        "model_id": model_id,
        "vector": as_parameter(vector),
        "least": least,
    }
    rows = await session.execute(_NEAR, values)
    return [Near(row.memory_ordinal, row.error, row.cosine, row.at) for row in rows]
