"""The verbs of jobs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import repository
from app.jobs.repository import NewJob
from app.kit.ids import new_id


async def enqueue(
    session: AsyncSession,
    *,
    tenant_id: UUID,
    owner_id: int | None,
    kind: str,
    tasks: Sequence[str],
    now: datetime,
) -> UUID:
    """Queue the tasks as one job, in the caller's transaction; return the job's id.

    The transaction must see the tenant. Tasks of one owner run one at a time, in the order they
    were queued; ``None`` stands for a job of the whole tenant.
    """
    if not tasks:
        msg = "a job has at least one task"
        raise ValueError(msg)
    new = NewJob(
        tenant_id=tenant_id, job_id=new_id(), owner_id=owner_id, kind=kind, tasks=tasks, now=now
    )
    await repository.enqueue(session, new)
    return new.job_id
