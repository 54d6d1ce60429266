"""The log of runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.forgetting.models import ForgettingRun
from app.tenants.schemas import Scope

_KEPT = timedelta(days=365)


async def begin(
    session: AsyncSession, scope: Scope, policy: dict[str, Any], *, now: datetime
) -> int:
    """Note a run that begins; return its number.

    Earlier ones that archived nothing go, and those of more than a year ago.
    """
    is_over = sa.or_(ForgettingRun.archived == 0, ForgettingRun.ran_at < now - _KEPT)
    await session.execute(
        sa.delete(ForgettingRun).where(ForgettingRun.owner_id == scope.owner_id, is_over)
    )
    statement = insert(ForgettingRun).values(owner_id=scope.owner_id, ran_at=now, policy=policy)
    found = await session.execute(statement.returning(ForgettingRun.run_no))
    return int(found.scalar_one())


async def count(
    session: AsyncSession, scope: Scope, run_no: int, *, examined: int = 0, archived: int = 0
) -> None:
    """Add to what a run has done."""
    statement = sa.update(ForgettingRun).where(
        ForgettingRun.owner_id == scope.owner_id, ForgettingRun.run_no == run_no
    )
    await session.execute(
        statement.values(
            examined=ForgettingRun.examined + examined, archived=ForgettingRun.archived + archived
        )
    )


async def latest(session: AsyncSession, scope: Scope, *, limit: int) -> Sequence[ForgettingRun]:
    """Return an owner's last runs, the latest first."""
    statement = (
        sa.select(ForgettingRun)
        .where(ForgettingRun.owner_id == scope.owner_id)
        .order_by(ForgettingRun.run_no.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()
