"""Versions of profiles."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.profiles.models import ProfileVersion
from app.tenants.schemas import Scope


def _in_scope(scope: Scope) -> sa.Select[ProfileVersion]:
    return sa.select(ProfileVersion).where(ProfileVersion.owner_id == scope.owner_id)


async def get(
    session: AsyncSession, scope: Scope, version: int | None = None
) -> ProfileVersion | None:
    """Return a version, the latest unless one is named."""
    statement = _in_scope(scope).order_by(ProfileVersion.version.desc()).limit(1)
    if version is not None:
        statement = statement.where(ProfileVersion.version == version)
    return (await session.execute(statement)).scalar_one_or_none()


async def page(
    session: AsyncSession, scope: Scope, *, before: int | None, limit: int
) -> Sequence[ProfileVersion]:
    """Return versions, the latest first, from behind ``before``."""
    statement = _in_scope(scope).order_by(ProfileVersion.version.desc()).limit(limit)
    if before is not None:
        statement = statement.where(ProfileVersion.version < before)
    return (await session.scalars(statement)).all()


async def made_of(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int]
) -> Sequence[ProfileVersion]:
    """Return versions that hold something made of these memories."""
    statement = _in_scope(scope).where(ProfileVersion.source_ordinals.overlap(list(ordinals)))
    return (await session.scalars(statement)).all()


async def prune(session: AsyncSession, scope: Scope, *, keep: int) -> None:
    """Delete all but the latest ``keep`` versions."""
    oldest = (
        sa.select(ProfileVersion.version)
        .where(ProfileVersion.owner_id == scope.owner_id)
        .order_by(ProfileVersion.version.desc())
        .offset(keep - 1)
        .limit(1)
        .scalar_subquery()
    )
    await session.execute(
        sa.delete(ProfileVersion).where(
            ProfileVersion.owner_id == scope.owner_id, ProfileVersion.version < oldest
        )
    )
