"""What the worker notes of a task: begun, how far, how it ended.

A step is changed only under the job's lock and only by the attempt that began it: a worker that
was taken for dead finds its step in other hands and leaves it alone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import kernel, repository
from app.jobs.kernel import JobStatus, Step
from app.jobs.models import Job
from app.jobs.schemas import QueuedTask

INTERRUPTED = "WorkerLost: the worker died or was stopped while it ran this, every time."


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended. ``queued`` means: to be run again."""

    status: JobStatus
    error: str | None = None
    counts: bool = True
    """Whether it uses up one of the attempts."""
    waits: bool = False
    """Whether it is to be run again because something it needs is away."""


class Begun(NamedTuple):
    """An attempt that begins: its number from 1, and for how long what it needs has been away."""

    attempt: int
    waited_s: float


async def begin(
    session: AsyncSession, task: QueuedTask, *, max_attempts: int, now: datetime
) -> Begun | None:
    """Note that an attempt begins; return ``None`` when there is nothing to do.

    Nothing is to do when the owner was erased, the step is done (the worker died before the queue
    heard of it), the job was cancelled, or workers died of it too often.
    """
    job, step = await _lock(session, task)
    if job is None or step is None or kernel.is_finished(step["status"]):
        return None
    if job.cancel_requested:
        _replace(job, task, {**step, "status": "cancelled"}, now)
        return None
    if step["attempts"] >= max_attempts:
        _replace(job, task, {**step, "status": "failed", "error": INTERRUPTED}, now)
        return None
    attempt = step["attempts"] + 1
    job.started_at = job.started_at or now
    _replace(job, task, {**step, "status": "running", "attempts": attempt}, now)
    since = step.get("waits_since")
    waited_s = (now - datetime.fromisoformat(since)).total_seconds() if since else 0.0
    return Begun(attempt, waited_s)


async def finish(
    session: AsyncSession, task: QueuedTask, attempt: int, result: Result, *, now: datetime
) -> JobStatus | None:
    """Note how an attempt ended; return the step's status, ``None`` if it is in other hands.

    A task that ends, in whatever way, after its job was asked to stop counts as cancelled.
    """
    job, step = await _lock(session, task)
    if job is None or step is None or not _is_attempt(step, attempt):
        return None
    status = "cancelled" if job.cancel_requested else result.status
    ended = Step(
        name=step["name"],
        status=status,
        attempts=attempt if result.counts else attempt - 1,
        error=result.error,
        queue_id=step["queue_id"],
    )
    if result.waits:
        ended["waits_since"] = step.get("waits_since", now.isoformat())
    _replace(job, task, ended, now)
    return status


async def note_progress(
    session: AsyncSession, task: QueuedTask, attempt: int, progress: float, *, now: datetime
) -> None:
    """Note how far an attempt is, in [0, 1]."""
    job, step = await _lock(session, task)
    if job is None or step is None or not _is_attempt(step, attempt):
        return
    _replace(job, task, {**step, "progress": min(max(progress, 0.0), 1.0)}, now)


async def cancel_is_requested(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> bool:
    """Say whether a job should stop; so should one that is gone."""
    return await repository.cancel_is_requested(session, tenant_id, job_id)


def settle(job: Job, now: datetime) -> None:
    """Draw the job's own columns from its steps."""
    steps = job.tasks
    job.attempts = max(step["attempts"] for step in steps)
    job.error = kernel.error_of(steps)
    job.updated_at = now
    ended = kernel.outcome(steps)
    if ended is not None:
        job.status, job.finished_at = ended, now
    elif kernel.is_untouched(steps):
        job.status, job.started_at = "queued", None
    else:
        job.status = "running"


async def _lock(session: AsyncSession, task: QueuedTask) -> tuple[Job | None, Step | None]:
    """Lock the job; return it and the step, if the step still has this place in the queue."""
    job = await repository.lock(session, task.tenant_id, task.job_id)
    if job is None or task.position >= len(job.tasks):
        return job, None
    step = job.tasks[task.position]
    return job, step if step["queue_id"] == task.queue_id else None


def _is_attempt(step: Step, attempt: int) -> bool:
    return step["status"] == "running" and step["attempts"] == attempt


def _replace(job: Job, task: QueuedTask, step: Step, now: datetime) -> None:
    steps = list(job.tasks)
    steps[task.position] = step
    job.tasks = steps
    settle(job, now)
