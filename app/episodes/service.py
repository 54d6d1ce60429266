"""Append messages, read sessions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.episodes import repository
from app.episodes.models import Conversation, Episode
from app.episodes.schemas import Alias, NewEpisode, Place, SessionView
from app.tenants.schemas import Scope


async def known(
    session: AsyncSession, scope: Scope, *, client_keys: Iterable[str], digests: Iterable[bytes]
) -> Sequence[Episode]:
    """Return the episodes stored under one of the client keys or with the same content."""
    return await repository.known(session, scope, client_keys=client_keys, digests=digests)


async def aliases(session: AsyncSession, scope: Scope, client_keys: Sequence[str]) -> list[Alias]:
    """Return those of the client keys under which another episode's words were sent again."""
    if not client_keys:
        return []
    return await repository.aliases(session, scope, client_keys)


async def add_aliases(
    session: AsyncSession, scope: Scope, sent: Sequence[tuple[str, UUID, bytes]]
) -> None:
    """Remember client keys, each with the episode it stands for and the digest of its body."""
    if sent:
        await repository.add_aliases(session, scope, sent)


async def place(
    session: AsyncSession, scope: Scope, said: Sequence[tuple[int, str | None]]
) -> list[Place]:
    """Return where new messages, given as (ordinal, session id), stand in their sessions."""
    session_ids = {session_id for _, session_id in said if session_id is not None}
    if not session_ids:
        return [Place(None, None)] * len(said)
    rows = await repository.conversations(session, scope, session_ids)
    last = {key: (row.last_seq, row.last_ordinal) for key, row in rows.items()}
    places = []
    for ordinal, session_id in said:
        if session_id is None:
            places.append(Place(None, None))
            continue
        seq, previous = last.get(session_id, (0, None))
        places.append(Place(seq + 1, previous))
        last[session_id] = (seq + 1, ordinal)
    return places


async def append(
    session: AsyncSession,
    scope: Scope,
    rows: Sequence[NewEpisode],
    *,
    job_id: UUID | None,
    now: datetime,
) -> None:
    """Append messages, in the order they were said."""
    await repository.insert(session, scope, rows, job_id=job_id, now=now)


async def list_conversations(
    session: AsyncSession,
    scope: Scope,
    *,
    agent_id: str | None,
    before: int | None,
    limit: int,
) -> Sequence[Conversation | SessionView]:
    """Return sessions (as one agent knows them), newest first, from behind ordinal ``before``."""
    if agent_id is None:
        return await repository.list_conversations(session, scope, before=before, limit=limit)
    return await repository.list_conversations_of(
        session, scope, agent_id, before=before, limit=limit
    )


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
    return await repository.messages(
        session, scope, session_id, agent_id=agent_id, after=after, limit=limit
    )


async def latest_messages(
    session: AsyncSession, scope: Scope, session_id: str, *, agent_id: str | None, limit: int
) -> Sequence[Episode]:
    """Return a session's last messages, oldest of them first."""
    return await repository.latest_messages(
        session, scope, session_id, agent_id=agent_id, limit=limit
    )


async def erase(session: AsyncSession, scope: Scope, ids: Sequence[UUID]) -> None:
    """Delete those of the messages that exist, and sessions that are empty then."""
    await repository.erase(session, scope, ids)
