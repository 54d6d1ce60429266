"""Shades and their members."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.profiles.models import Shade, ShadeMember
from app.tenants.schemas import Scope

_PUT = sa.text("""
    INSERT INTO shade_members (owner_id, memory_ordinal, shade_id, distance)
    SELECT :owner_id, o.ordinal, o.shade_id, o.distance
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:shade_ids AS uuid[]),
                CAST(:distances AS double precision[])) AS o (ordinal, shade_id, distance)
    ON CONFLICT (owner_id, memory_ordinal)
    DO UPDATE SET shade_id = excluded.shade_id, distance = excluded.distance
""")

_MOVE = sa.text("""
    UPDATE shade_members m SET shade_id = o.shade_id, distance = o.distance
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:shade_ids AS uuid[]),
                CAST(:distances AS double precision[])) AS o (ordinal, shade_id, distance)
    WHERE m.owner_id = :owner_id AND m.memory_ordinal = o.ordinal
        AND (m.shade_id, m.distance) IS DISTINCT FROM (o.shade_id, o.distance)
""")


_RELEASE = sa.text("""
    UPDATE shade_members m SET shade_id = NULL, distance = NULL
    WHERE m.owner_id = :owner_id AND m.shade_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM shades s WHERE s.owner_id = m.owner_id AND s.id = m.shade_id)
""")


class Outline(NamedTuple):
    """A shade without its texts, which are most of its bytes."""

    id: UUID
    size: int
    total: bytes
    is_stale: bool
    needs_recount: bool


class Member(NamedTuple):
    """A memory's place among the shades."""

    ordinal: int
    shade_id: UUID | None
    distance: float | None


def _members(scope: Scope) -> sa.Select[int, UUID | None, float | None]:
    return sa.select(ShadeMember.memory_ordinal, ShadeMember.shade_id, ShadeMember.distance).where(
        ShadeMember.owner_id == scope.owner_id
    )


async def outlines(session: AsyncSession, scope: Scope) -> list[Outline]:
    """Return all shades of an owner without their texts, the largest first."""
    statement = (
        sa.select(Shade.id, Shade.size, Shade.total, Shade.is_stale, Shade.needs_recount)
        .where(Shade.owner_id == scope.owner_id)
        .order_by(Shade.size.desc(), Shade.source_ordinals, Shade.id)
    )
    return [Outline(*row) for row in await session.execute(statement)]


async def some(session: AsyncSession, scope: Scope, shade_ids: Collection[UUID]) -> Sequence[Shade]:
    """Return those of the shades that there still are."""
    if not shade_ids:
        return []
    statement = sa.select(Shade).where(
        Shade.owner_id == scope.owner_id, Shade.id.in_(sorted(shade_ids))
    )
    return (await session.scalars(statement)).all()


async def everyone(session: AsyncSession, scope: Scope) -> Sequence[Shade]:
    """Return all shades of an owner, the largest first; of one size, by what they stand on."""
    statement = (
        sa.select(Shade)
        .where(Shade.owner_id == scope.owner_id)
        .order_by(Shade.size.desc(), Shade.source_ordinals, Shade.id)
    )
    return (await session.scalars(statement)).all()


async def get(session: AsyncSession, scope: Scope, shade_id: UUID) -> Shade | None:
    """Return one shade."""
    statement = sa.select(Shade).where(Shade.owner_id == scope.owner_id, Shade.id == shade_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def made_of(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> Sequence[Shade]:
    """Return shades that hold something made of these memories."""
    statement = sa.select(Shade).where(
        Shade.owner_id == scope.owner_id, Shade.source_ordinals.overlap(list(ordinals))
    )
    return (await session.scalars(statement)).all()


async def recount(session: AsyncSession, scope: Scope, shade_ids: Sequence[UUID]) -> None:
    """Note that members of these shades changed or left."""
    if shade_ids:
        await session.execute(
            sa.update(Shade)
            .where(Shade.owner_id == scope.owner_id, Shade.id.in_(shade_ids))
            .values(needs_recount=True, is_stale=True)
        )


async def drop(session: AsyncSession, scope: Scope, shade_ids: Sequence[UUID]) -> None:
    """Delete shades; their members must have been given another place."""
    if shade_ids:
        await session.execute(
            sa.delete(Shade).where(Shade.owner_id == scope.owner_id, Shade.id.in_(shade_ids))
        )


async def places(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Mapping[int, UUID | None]:
    """Return the shades of those memories that are members."""
    statement = _members(scope).where(ShadeMember.memory_ordinal.in_(ordinals))
    return {row[0]: row[1] for row in await session.execute(statement)}


async def put_members(session: AsyncSession, scope: Scope, members: Sequence[Member]) -> None:
    """Give memories, which must exist, a place; needs the owner's lock."""
    if members:
        await session.execute(_PUT, _values(scope, members))


async def replace_members(session: AsyncSession, scope: Scope, members: Sequence[Member]) -> None:
    """Give members another place; those that left meanwhile stay away."""
    if members:
        await session.execute(_MOVE, _values(scope, members))


def _values(scope: Scope, members: Sequence[Member]) -> dict[str, Any]:
    return {
        "owner_id": scope.owner_id,
        "ordinals": [member.ordinal for member in members],
        "shade_ids": [member.shade_id for member in members],
        "distances": [member.distance for member in members],
    }


async def drop_members(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Let memories count no longer."""
    if ordinals:
        await session.execute(
            sa.delete(ShadeMember).where(
                ShadeMember.owner_id == scope.owner_id, ShadeMember.memory_ordinal.in_(ordinals)
            )
        )


async def move_members(
    session: AsyncSession, scope: Scope, shade_ids: Sequence[UUID], to: UUID | None
) -> None:
    """Give all members of some shades another one."""
    await session.execute(
        sa.update(ShadeMember)
        .where(ShadeMember.owner_id == scope.owner_id, ShadeMember.shade_id.in_(shade_ids))
        .values(shade_id=to)
    )


async def release_members(session: AsyncSession, scope: Scope) -> None:
    """Let members whose shade is gone belong nowhere."""
    await session.execute(_RELEASE, {"owner_id": scope.owner_id})


async def count_members(session: AsyncSession, scope: Scope) -> int:
    """Return how many memories count for the profile."""
    statement = (
        sa.select(sa.func.count())
        .select_from(ShadeMember)
        .where(ShadeMember.owner_id == scope.owner_id)
    )
    return int((await session.execute(statement)).scalar_one())


async def all_members(session: AsyncSession, scope: Scope) -> list[Member]:
    """Return every member, by ordinal."""
    rows = await session.execute(_members(scope).order_by(ShadeMember.memory_ordinal))
    return [Member(*row) for row in rows]


async def members_of(
    session: AsyncSession, scope: Scope, shade_id: UUID | None, *, limit: int | None = None
) -> list[Member]:
    """Return members of a shade, the nearest first; with ``None`` the outliers, newest first."""
    statement = _members(scope).where(
        ShadeMember.shade_id.is_(None) if shade_id is None else ShadeMember.shade_id == shade_id
    )
    if shade_id is None:
        statement = statement.order_by(ShadeMember.memory_ordinal.desc())
    else:
        statement = statement.order_by(ShadeMember.distance, ShadeMember.memory_ordinal)
    return [Member(*row) for row in await session.execute(statement.limit(limit))]
