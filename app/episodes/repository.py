"""Every SQL statement of the room."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.episodes.models import Conversation, Episode, EpisodeAlias
from app.episodes.schemas import Alias, NewEpisode, SessionView
from app.tenants.schemas import Scope

_INSERT = sa.text("""
    INSERT INTO episodes (
        owner_id, created_at, job_id, id, ordinal, session_id, seq, agent_id, role, name,
        content, occurred_at, metadata, client_key, body_digest, digest)
    SELECT :owner_id, :now, :job_id, id, ordinal, session_id, seq, agent_id, role, name,
        content, occurred_at, CAST(metadata AS jsonb), client_key, body_digest, digest
    FROM unnest(
        CAST(:id AS uuid[]), CAST(:ordinal AS integer[]), CAST(:session_id AS text[]),
        CAST(:seq AS integer[]), CAST(:agent_id AS text[]), CAST(:role AS text[]),
        CAST(:name AS text[]),
        CAST(:content AS text[]), CAST(:occurred_at AS timestamptz[]),
        CAST(:metadata AS text[]), CAST(:client_key AS text[]),
        CAST(:body_digest AS bytea[]), CAST(:digest AS bytea[])
    ) AS e (id, ordinal, session_id, seq, agent_id, role, name, content, occurred_at, metadata,
            client_key, body_digest, digest)
""")

_FIELDS = (
    "id", "ordinal", "session_id", "seq", "agent_id", "role", "name", "content", "occurred_at",
    "client_key", "body_digest", "digest",
)  # fmt: skip

_UPSERT_CONVERSATIONS = sa.text("""
    INSERT INTO sessions (
        owner_id, created_at, session_id, ordinal, messages, last_seq, last_ordinal, first_at,
        last_at)
    SELECT :owner_id, :now, session_id, first_ordinal, messages, messages, last_ordinal, first_at,
        last_at
    FROM unnest(
        CAST(:session_id AS text[]), CAST(:first_ordinal AS integer[]),
        CAST(:messages AS integer[]), CAST(:last_ordinal AS integer[]),
        CAST(:first_at AS timestamptz[]), CAST(:last_at AS timestamptz[])
    ) AS s (session_id, first_ordinal, messages, last_ordinal, first_at, last_at)
    ON CONFLICT (owner_id, session_id) DO UPDATE SET
        messages = sessions.messages + excluded.messages,
        last_seq = sessions.last_seq + excluded.messages,
        last_ordinal = excluded.last_ordinal,
        first_at = least(sessions.first_at, excluded.first_at),
        last_at = greatest(sessions.last_at, excluded.last_at)
""")

_ERASE = sa.text("""
    DELETE FROM episodes WHERE owner_id = :owner_id AND id = ANY(CAST(:ids AS uuid[]))
    RETURNING session_id
""")

# A session whose last message is erased is gone; the others keep their numbering.
_COUNT_AGAIN = sa.text("""
    WITH held AS MATERIALIZED (
        SELECT session_id, count(*) AS messages, max(ordinal) AS last_ordinal,
            min(occurred_at) AS first_at, max(occurred_at) AS last_at
        FROM episodes
        WHERE owner_id = :owner_id AND session_id = ANY(CAST(:session_ids AS text[]))
        GROUP BY session_id
    ), emptied AS (
        DELETE FROM sessions
        WHERE owner_id = :owner_id AND session_id = ANY(CAST(:session_ids AS text[]))
            AND session_id NOT IN (SELECT session_id FROM held)
    )
    UPDATE sessions s SET messages = h.messages, last_ordinal = h.last_ordinal,
        first_at = h.first_at, last_at = h.last_at
    FROM held h WHERE s.owner_id = :owner_id AND s.session_id = h.session_id
""")


async def insert(
    session: AsyncSession,
    scope: Scope,
    rows: Sequence[NewEpisode],
    *,
    job_id: UUID | None,
    now: datetime,
) -> None:
    """Insert messages and count them in their sessions."""
    values: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in _FIELDS}
    values["metadata"] = [json.dumps(row.metadata) for row in rows]
    values |= {"owner_id": scope.owner_id, "job_id": job_id, "now": now}
    await session.execute(_INSERT, values)
    await _count(session, scope, rows, now=now)


async def _count(
    session: AsyncSession, scope: Scope, rows: Sequence[NewEpisode], *, now: datetime
) -> None:
    spoken: dict[str, list[NewEpisode]] = {}
    for row in rows:
        if row.session_id is not None:
            spoken.setdefault(row.session_id, []).append(row)
    if not spoken:
        return
    values = {
        "owner_id": scope.owner_id,
        "now": now,
        "session_id": list(spoken),
        "first_ordinal": [said[0].ordinal for said in spoken.values()],
        "messages": [len(said) for said in spoken.values()],
        "last_ordinal": [said[-1].ordinal for said in spoken.values()],
        "first_at": [min(row.occurred_at for row in said) for said in spoken.values()],
        "last_at": [max(row.occurred_at for row in said) for said in spoken.values()],
    }
    await session.execute(_UPSERT_CONVERSATIONS, values)


async def known(
    session: AsyncSession, scope: Scope, *, client_keys: Iterable[str], digests: Iterable[bytes]
) -> Sequence[Episode]:
    """Return the episodes stored under one of the client keys or with the same content."""
    statement = sa.select(Episode).where(
        Episode.owner_id == scope.owner_id,
        sa.or_(
            Episode.client_key == sa.any_(sa.cast(list(client_keys), sa.ARRAY(sa.Text))),
            Episode.digest == sa.any_(sa.cast(list(digests), sa.ARRAY(sa.LargeBinary))),
        ),
    )
    return (await session.scalars(statement)).all()


async def aliases(session: AsyncSession, scope: Scope, client_keys: Sequence[str]) -> list[Alias]:
    """Return the client keys that stand for another episode's words, each with its ordinal."""
    statement = (
        sa.select(
            EpisodeAlias.client_key,
            EpisodeAlias.episode_id,
            EpisodeAlias.body_digest,
            Episode.ordinal,
        )
        .join(
            Episode,
            sa.and_(
                Episode.owner_id == EpisodeAlias.owner_id, Episode.id == EpisodeAlias.episode_id
            ),
        )
        .where(
            EpisodeAlias.owner_id == scope.owner_id,
            EpisodeAlias.client_key == sa.any_(sa.cast(client_keys, sa.ARRAY(sa.Text))),
        )
    )
    return [Alias(*row) for row in await session.execute(statement)]


async def add_aliases(
    session: AsyncSession, scope: Scope, sent: Sequence[tuple[str, UUID, bytes]]
) -> None:
    """Remember client keys, each with the episode it stands for and the digest of its body."""
    rows = [
        EpisodeAlias(
            owner_id=scope.owner_id, client_key=key, episode_id=episode_id, body_digest=digest
        )
        for key, episode_id, digest in sent
    ]
    session.add_all(rows)
    await session.flush()


async def conversations(
    session: AsyncSession, scope: Scope, session_ids: Iterable[str]
) -> dict[str, Conversation]:
    """Return those of the sessions that exist, by id."""
    statement = sa.select(Conversation).where(
        Conversation.owner_id == scope.owner_id, Conversation.session_id.in_(list(session_ids))
    )
    return {row.session_id: row for row in await session.scalars(statement)}


async def list_conversations(
    session: AsyncSession, scope: Scope, *, before: int | None, limit: int
) -> Sequence[Conversation]:
    """Return sessions, newest first, from behind ordinal ``before``."""
    statement = sa.select(Conversation).where(Conversation.owner_id == scope.owner_id)
    if before is not None:
        statement = statement.where(Conversation.ordinal < before)
    statement = statement.order_by(Conversation.ordinal.desc()).limit(limit)
    return (await session.scalars(statement)).all()


async def list_conversations_of(
    session: AsyncSession, scope: Scope, agent_id: str, *, before: int | None, limit: int
) -> list[SessionView]:
    """Return sessions as one agent knows them: counts and times of its own messages only."""
    ordinal = sa.func.min(Episode.ordinal)
    statement = (
        sa.select(
            Episode.session_id,
            ordinal.label("ordinal"),
            sa.func.count().label("messages"),
            sa.func.min(Episode.occurred_at).label("first_at"),
            sa.func.max(Episode.occurred_at).label("last_at"),
            sa.func.min(Episode.created_at).label("created_at"),
        )
        .where(
            Episode.owner_id == scope.owner_id,
            Episode.agent_id == agent_id,
            Episode.session_id.is_not(None),
        )
        .group_by(Episode.session_id)
        .order_by(ordinal.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.having(ordinal < before)
    found = await session.execute(statement)
    return [
        SessionView(
            str(row.session_id),
            row.ordinal,
            row.messages,
            row.first_at,
            row.last_at,
            row.created_at,
        )
        for row in found
    ]


def _messages(scope: Scope, session_id: str, agent_id: str | None) -> sa.Select[Episode]:
    statement = sa.select(Episode).where(
        Episode.owner_id == scope.owner_id, Episode.session_id == session_id
    )
    return statement if agent_id is None else statement.where(Episode.agent_id == agent_id)


async def messages(
    session: AsyncSession,
    scope: Scope,
    session_id: str,
    *,
    agent_id: str | None,
    after: int,
    limit: int,
) -> Sequence[Episode]:
    """Return a session's messages in the order they came, from behind ``seq`` ``after``."""
    statement = _messages(scope, session_id, agent_id).where(Episode.seq > after)
    return (await session.scalars(statement.order_by(Episode.seq).limit(limit))).all()


async def latest_messages(
    session: AsyncSession, scope: Scope, session_id: str, *, agent_id: str | None, limit: int
) -> Sequence[Episode]:
    """Return a session's last messages, oldest of them first."""
    statement = _messages(scope, session_id, agent_id).order_by(Episode.seq.desc()).limit(limit)
    return list(reversed((await session.scalars(statement)).all()))


async def erase(session: AsyncSession, scope: Scope, ids: Sequence[UUID]) -> None:
    """Delete messages; their sessions go with the last one, and forget the times of others."""
    values = {"owner_id": scope.owner_id, "ids": list(ids)}
    found = set((await session.scalars(_ERASE, values)).all())
    if touched := sorted(found - {None}):
        values = {"owner_id": scope.owner_id, "session_ids": touched}
        await session.execute(_COUNT_AGAIN, values)
