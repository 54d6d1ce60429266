"""The log of runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.forgetting.models import ForgettingRun
from app.tenants.schemas import Scope

_KEPT = timedelta(days=365)

_COUNT_ARCHIVED = sa.text("""
    INSERT INTO forgetting_runs (owner_id, run_no, ran_at, policy, examined, archived)
    OVERRIDING SYSTEM VALUE
    VALUES (:owner_id, :run_no, :ran_at, :policy, :examined, :archived)
    ON CONFLICT (owner_id, run_no)
        DO UPDATE SET archived = forgetting_runs.archived + excluded.archived
""").bindparams(sa.bindparam("policy", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the log has it, but for what it archived."""

    run_no: int
    ran_at: datetime
    policy: dict[str, Any]
    examined: int


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


async def count_examined(session: AsyncSession, scope: Scope, run_no: int, examined: int) -> None:
    """Note how many memories a run looks at."""
    statement = sa.update(ForgettingRun).where(
        ForgettingRun.owner_id == scope.owner_id, ForgettingRun.run_no == run_no
    )
    await session.execute(statement.values(examined=examined))


async def count_archived(session: AsyncSession, scope: Scope, run: Run, archived: int) -> None:
    """Add to what a run has archived.

    Another run that began meanwhile may have taken it for one that was over.
    """
    values = {**asdict(run), "owner_id": scope.owner_id, "archived": archived}
    await session.execute(_COUNT_ARCHIVED, values)


async def latest(session: AsyncSession, scope: Scope, *, limit: int) -> Sequence[ForgettingRun]:
    """Return an owner's last runs, the latest first."""
    statement = (
        sa.select(ForgettingRun)
        .where(ForgettingRun.owner_id == scope.owner_id)
        .order_by(ForgettingRun.run_no.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()
