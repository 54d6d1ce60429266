"""What users do to jobs: queue, retry, cancel."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import kernel, repository
from app.jobs.errors import JobNotFoundError, JobStateError
from app.jobs.kernel import Step
from app.jobs.models import Job
from app.jobs.repository import NewJob
from app.jobs.schemas import Caller, JobRead
from app.jobs.service.reading import find
from app.jobs.service.running import settle
from app.kit.ids import new_id


async def enqueue(  # noqa: PLR0913  -- keywords only, plain facts
    session: AsyncSession,
    *,
    tenant_id: UUID,
    owner_id: int | None,
    kind: str,
    tasks: Sequence[str],
    now: datetime,
    agent_id: str | None = None,
    joins: bool = False,
) -> UUID:
    """Queue the tasks as one job, in the caller's transaction; return the job's id.

    The transaction must see the tenant. Tasks of one owner run one at a time, in the order they
    were queued; ``owner_id`` ``None`` stands for a job of the whole tenant. ``agent_id`` is the
    agent that asked for a job about a user: keys bound to it may see the job. With ``joins`` a
    waiting job of the same owner, agent, kind and tasks is returned instead of a new one: right
    for tasks that take up all there is to do for an owner.
    """
    if not tasks:
        msg = "a job has at least one task"
        raise ValueError(msg)
    new = NewJob(
        tenant_id=tenant_id,
        job_id=new_id(),
        owner_id=owner_id,
        agent_id=agent_id,
        kind=kind,
        tasks=tasks,
        joins=joins,
        now=now,
    )
    return await repository.enqueue(session, new)


async def retry(session: AsyncSession, caller: Caller, job_id: UUID, *, now: datetime) -> JobRead:
    """Queue the unfinished tasks of a failed or cancelled job again.

    Raises:
        JobNotFoundError: there is none, or it is somebody else's.
        JobStateError: it did not fail and was not cancelled.
    """
    job = await _lock(session, caller, job_id)
    if job.status not in {"failed", "cancelled"}:
        msg = f"Only a failed or cancelled job can be retried; this one is {job.status}."
        raise JobStateError(msg, job_status=job.status)
    left = [at for at, step in enumerate(job.tasks) if step["status"] != "succeeded"]
    await requeue(session, job, left)
    job.status, job.error, job.attempts = "queued", None, 0
    job.cancel_requested, job.started_at, job.finished_at = False, None, None
    job.updated_at = now
    await session.flush()
    return await find(session, caller, job_id)


async def requeue(session: AsyncSession, job: Job, positions: Sequence[int]) -> None:
    """Give these steps of a locked job a new place in the queue, as if never attempted."""
    queue_ids = await repository.queue_again(session, job, positions)
    steps = list(job.tasks)
    for position, queue_id in zip(positions, queue_ids, strict=True):
        name = steps[position]["name"]
        steps[position] = Step(
            name=name, status="queued", attempts=0, error=None, queue_id=queue_id
        )
    job.tasks = steps


async def cancel(session: AsyncSession, caller: Caller, job_id: UUID, *, now: datetime) -> JobRead:
    """Cancel what waits at once, and tell what runs to stop.

    Raises:
        JobNotFoundError: there is none, or it is somebody else's.
        JobStateError: the job is finished.
    """
    job = await _lock(session, caller, job_id)
    if job.finished_at is not None:
        msg = f"The job is already {job.status}."
        raise JobStateError(msg, job_status=job.status)
    open_steps = [step for step in job.tasks if not kernel.is_finished(step["status"])]
    running = await repository.withdraw(session, [step["queue_id"] for step in open_steps])
    job.tasks = [_cancelled(step, running) for step in job.tasks]
    job.cancel_requested = True
    settle(job, now)
    await session.flush()
    return await find(session, caller, job_id)


def _cancelled(step: Step, running: set[int]) -> Step:
    """Return the step as it is after the request: one that runs must notice it first."""
    if kernel.is_finished(step["status"]) or step["queue_id"] in running:
        return step
    return {**step, "status": "cancelled"}


async def _lock(session: AsyncSession, caller: Caller, job_id: UUID) -> Job:
    """Lock a job the caller may see."""
    visible = await repository.find(session, caller.tenant_id, job_id, caller.bound)
    job = await repository.lock(session, caller.tenant_id, job_id) if visible else None
    if job is None:
        raise JobNotFoundError.of(job_id)
    return job
