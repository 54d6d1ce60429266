"""What users and operators see of jobs."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import kernel, repository
from app.jobs.errors import JobNotFoundError
from app.jobs.repository import NamedJob
from app.jobs.schemas import (
    Caller,
    JobQuery,
    JobRead,
    TaskRead,
    decode_cursor,
    encode_cursor,
)
from app.kit.pagination import Page


async def find(session: AsyncSession, caller: Caller, job_id: UUID) -> JobRead:
    """Return a job the caller may see.

    Raises:
        JobNotFoundError: there is none, or it is somebody else's.
    """
    found = await repository.find(session, caller.tenant_id, job_id, caller.bound)
    if found is None:
        raise JobNotFoundError.of(job_id)
    return _read(found)


async def page(session: AsyncSession, caller: Caller, wanted: JobQuery) -> Page[JobRead]:
    """Return one page of the jobs the caller may see, newest first."""
    before = decode_cursor(wanted.cursor)
    found = await repository.page(session, caller.tenant_id, caller.bound, wanted, before=before)
    shown = found[: wanted.limit]
    following = encode_cursor(shown[-1].job.id) if len(found) > wanted.limit else None
    return Page(items=[_read(one) for one in shown], next_cursor=following)


async def queue_depth(session: AsyncSession) -> dict[str, int]:
    """Return how many tasks wait (``todo``) and run (``doing``), of all tenants."""
    return await repository.queue_depth(session)


async def backlog(session: AsyncSession) -> dict[str, int]:
    """Return how many tasks of each name wait, of all tenants."""
    return await repository.backlog(session)


async def is_due(session: AsyncSession) -> bool:
    """Say whether some task, of any tenant, could run now."""
    return await repository.is_due(session)


def _read(found: NamedJob) -> JobRead:
    job = found.job
    return JobRead(
        id=job.id,
        kind=job.kind,
        status=job.status,
        user_id=found.owner_name if found.owner_kind == "user" else None,
        agent_id=found.owner_name if found.owner_kind == "agent" else job.agent_id,
        attempts=job.attempts,
        progress=kernel.progress(job.tasks),
        error=job.error,
        cancel_requested=job.cancel_requested,
        tasks=[TaskRead.model_validate(step, from_attributes=False) for step in job.tasks],
        created_at=job.created_at,
        updated_at=job.updated_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
