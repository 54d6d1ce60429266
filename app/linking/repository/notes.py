"""Notes: making, changing and reading them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.linking.kernel.links import Near
from app.linking.models import NoteRow
from app.linking.schemas import NewNote, NoteState
from app.tenants.schemas import Scope

_PUT = sa.text("""
    INSERT INTO notes (owner_id, memory_ordinal, agent_id, keywords, tags, context, category,
        generated_by, made_from, embed_version, model_id, updated_at)
    SELECT :owner_id, r.ordinal, r.agent_id, r.keywords, r.tags, r.context, r.category,
        r.generated_by, decode(r.made_from, 'hex'), 1, :model_id, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (ordinal integer, agent_id text,
        keywords text[], tags text[], context text, category text, generated_by text,
        made_from text)
    ON CONFLICT (owner_id, memory_ordinal) DO UPDATE SET keywords = excluded.keywords,
        tags = excluded.tags, context = excluded.context, category = excluded.category,
        generated_by = excluded.generated_by, made_from = excluded.made_from,
        version = notes.version + 1, embed_version = notes.version + 1,
        model_id = excluded.model_id, is_linked = false, neighbours = '{}', cosines = '{}',
        updated_at = excluded.updated_at
""")

_CHANGE = sa.text("""
    UPDATE notes n SET keywords = r.keywords, tags = r.tags, context = r.context,
        version = version + 1, updated_at = :now,
        embed_version = CASE WHEN r.model_id > 0 THEN version + 1 ELSE embed_version END,
        model_id = coalesce(r.model_id, n.model_id)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (ordinal integer, keywords text[],
        tags text[], context text, model_id smallint)
    WHERE n.owner_id = :owner_id AND n.memory_ordinal = r.ordinal
""")

_SET_NEAR = sa.text("""
    UPDATE notes n SET neighbours = r.neighbours, cosines = r.cosines,
        is_linked = n.is_linked OR n.memory_ordinal = ANY(CAST(:linked AS integer[]))
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (ordinal integer, neighbours integer[],
        cosines real[])
    WHERE n.owner_id = :owner_id AND n.memory_ordinal = r.ordinal
""")

_LEAVE = sa.text("""
    UPDATE notes n SET
        neighbours = ARRAY(
            SELECT near.ordinal FROM unnest(n.neighbours) WITH ORDINALITY AS near (ordinal, place)
            WHERE near.ordinal <> ALL(CAST(:gone AS integer[])) ORDER BY near.place),
        cosines = ARRAY(
            SELECT near.cosine FROM unnest(n.neighbours, n.cosines)
                WITH ORDINALITY AS near (ordinal, cosine, place)
            WHERE near.ordinal <> ALL(CAST(:gone AS integer[])) ORDER BY near.place)
    WHERE n.owner_id = :owner_id AND n.neighbours && CAST(:gone AS integer[])
""")

_REOPEN = sa.text("""
    UPDATE notes SET is_linked = false
    WHERE owner_id = :owner_id AND memory_ordinal = ANY(CAST(:ordinals AS integer[]))
""")

# By key: behind row-level security the planner would rather read all of an owner.
_LIVE = sa.text("""
    SELECT o.ordinal FROM unnest(CAST(:ordinals AS integer[])) AS o (ordinal)
    CROSS JOIN LATERAL (
        SELECT FROM memories m WHERE m.owner_id = :owner_id AND m.ordinal = o.ordinal
            AND m.archived_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > :now)
        OFFSET 0) m
""")

_OF_OTHER_AGENTS = sa.text("""
    SELECT memory_ordinal FROM notes
    WHERE owner_id = :owner_id AND agent_id IS DISTINCT FROM CAST(:agent_id AS text)
""")

# The index on (owner_id, model_id) answers both ranges; what is up to date is not read.
_WAITING = sa.text("""
    SELECT memory_ordinal FROM notes
    WHERE owner_id = :owner_id AND (model_id < :model_id OR model_id > :model_id)
    ORDER BY memory_ordinal LIMIT :limit
""")

_EMBEDDED = sa.text("""
    UPDATE notes n SET embed_version = v.version, model_id = :model_id
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:versions AS integer[])) AS v (ordinal, version)
    WHERE n.owner_id = :owner_id AND n.memory_ordinal = v.ordinal AND n.version = v.version
    RETURNING n.memory_ordinal
""")

_OUTDATE = sa.text("""
    UPDATE notes SET model_id = 0
    WHERE owner_id = :owner_id AND model_id <> 0 AND embed_version < version
""")

_NEWEST = sa.text("""
    SELECT n.memory_ordinal FROM notes n
    JOIN memories m ON m.owner_id = n.owner_id AND m.ordinal = n.memory_ordinal
    WHERE n.owner_id = :owner_id AND m.archived_at IS NULL
        AND (m.expires_at IS NULL OR m.expires_at > :now)
        AND (CAST(:agent_id AS text) IS NULL OR n.agent_id = :agent_id)
    ORDER BY n.memory_ordinal DESC LIMIT :limit
""")


async def put(
    session: AsyncSession, scope: Scope, new: Sequence[NewNote], *, model_id: int, now: datetime
) -> None:
    """Insert notes, or make them anew: as the first version, or one more; not linked yet."""
    rows = [
        {
            "ordinal": one.ordinal,
            "agent_id": one.agent_id,
            "category": one.category,
            "generated_by": one.generated_by,
            "made_from": one.made_from.hex(),
            **one.note._asdict(),
        }
        for one in new
    ]
    await _write(session, scope, _PUT, rows, model_id=model_id, now=now)


async def change(
    session: AsyncSession,
    scope: Scope,
    states: Mapping[int, NoteState],
    *,
    model_id: int | None,
    now: datetime,
) -> None:
    """Give notes other words, as one more version.

    ``model_id`` tells whether their vectors are up to date: the model's that made them, 0 if they
    wait to be made, ``None`` if the old ones shall stay.
    """
    rows = [
        {"ordinal": ordinal, "model_id": model_id, **state.model_dump()}
        for ordinal, state in states.items()
    ]
    await _write(session, scope, _CHANGE, rows, now=now)


async def set_near(
    session: AsyncSession,
    scope: Scope,
    near: Mapping[int, Sequence[Near]],
    *,
    linked: Sequence[int],
) -> None:
    """Note the nearest notes of each; those in ``linked`` have had their links sought."""
    rows = [
        {
            "ordinal": ordinal,
            "neighbours": [one.ordinal for one in found],
            "cosines": [one.cosine for one in found],
        }
        for ordinal, found in near.items()
    ]
    await _write(session, scope, _SET_NEAR, rows, linked=list(linked))


async def leave(session: AsyncSession, scope: Scope, gone: Sequence[int]) -> None:
    """Take notes out of the nearest of all others.

    Reads all of the owner's notes: for erasing and editing, not for every write.
    """
    await session.execute(_LEAVE, {"owner_id": scope.owner_id, "gone": list(gone)})


async def reopen(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Note that links of notes are to be sought anew, once their memories are live again."""
    if ordinals:
        values = {"owner_id": scope.owner_id, "ordinals": list(ordinals)}
        await session.execute(_REOPEN, values)


async def live(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int], *, now: datetime
) -> frozenset[int]:
    """Return those of the memories that are live."""
    values = {"owner_id": scope.owner_id, "ordinals": list(ordinals), "now": now}
    return frozenset((await session.scalars(_LIVE, values)).all())


async def of_other_agents(
    session: AsyncSession, scope: Scope, agent_id: str | None
) -> Sequence[int]:
    """Return all notes that are not of this agent's memories (``None``: of no agent's)."""
    values = {"owner_id": scope.owner_id, "agent_id": agent_id}
    return (await session.scalars(_OF_OTHER_AGENTS, values)).all()


async def _write(
    session: AsyncSession,
    scope: Scope,
    statement: sa.TextClause,
    rows: list[dict[str, Any]],
    **values: object,
) -> None:
    if rows:
        bound = {"owner_id": scope.owner_id, "rows": json.dumps(rows), **values}
        await session.execute(statement, bound)


def _is_among(ordinals: Sequence[int]) -> sa.ColumnElement[bool]:
    # One array, not a list of its own length each time: the statement stays prepared.
    return NoteRow.memory_ordinal == sa.any_(sa.cast(list(ordinals), ARRAY(sa.Integer)))


async def digests(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> dict[int, bytes]:
    """Return by ordinal what the notes that exist were made from."""
    statement = sa.select(NoteRow.memory_ordinal, NoteRow.made_from).where(
        NoteRow.owner_id == scope.owner_id, _is_among(ordinals)
    )
    return {row.memory_ordinal: row.made_from for row in await session.execute(statement)}


class Standing(NamedTuple):
    """Whose note it is, and whether its links were sought."""

    agent_id: str | None
    is_linked: bool


async def standings(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> dict[int, Standing]:
    """Return by ordinal how the notes stand that exist."""
    columns = (NoteRow.memory_ordinal, NoteRow.agent_id, NoteRow.is_linked)
    statement = sa.select(*columns).where(NoteRow.owner_id == scope.owner_id, _is_among(ordinals))
    return {row[0]: Standing(row[1], row[2]) for row in await session.execute(statement)}


async def held(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> dict[int, NoteRow]:
    """Return notes by ordinal; those that do not exist are left out."""
    if not ordinals:
        return {}
    statement = sa.select(NoteRow).where(
        NoteRow.owner_id == scope.owner_id, _is_among(sorted(set(ordinals)))
    )
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return {row.memory_ordinal: row for row in found}


async def exist(session: AsyncSession, scope: Scope) -> bool:
    """Say whether the owner has any note; false for one that was erased."""
    statement = sa.select(NoteRow.memory_ordinal).where(NoteRow.owner_id == scope.owner_id).limit(1)
    return (await session.scalars(statement)).first() is not None


async def waiting(
    session: AsyncSession, scope: Scope, model_id: int, *, limit: int
) -> Sequence[int]:
    """Return ordinals of notes whose vector of this model waits to be made, ascending."""
    values = {"owner_id": scope.owner_id, "model_id": model_id, "limit": limit}
    return (await session.scalars(_WAITING, values)).all()


async def mark_embedded(
    session: AsyncSession, scope: Scope, model_id: int, versions: Mapping[int, int]
) -> set[int]:
    """Note by ordinal which versions have a vector now; return those that still are the latest."""
    values = {
        "owner_id": scope.owner_id,
        "model_id": model_id,
        "ordinals": list(versions),
        "versions": list(versions.values()),
    }
    return set((await session.scalars(_EMBEDDED, values)).all())


async def outdate(session: AsyncSession, scope: Scope) -> None:
    """Let every note whose words changed since its vector was made wait for a new one."""
    await session.execute(_OUTDATE, {"owner_id": scope.owner_id})


async def newest(
    session: AsyncSession, scope: Scope, *, agent_id: str | None, limit: int, now: datetime
) -> Sequence[int]:
    """Return ordinals of the latest live memories that have a note; perhaps of one agent only."""
    values = {"owner_id": scope.owner_id, "agent_id": agent_id, "limit": limit, "now": now}
    return (await session.scalars(_NEWEST, values)).all()
