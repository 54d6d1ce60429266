"""What keeps jobs moving when workers die, and the tables small."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import kernel, repository
from app.jobs.kernel import Step
from app.jobs.models import Job
from app.jobs.service.control import requeue
from app.jobs.service.running import settle

_BATCH = 500
_IDLE = timedelta(minutes=1)


async def rescue(session: AsyncSession, *, stalled_s: float, orphans: Sequence[int]) -> int:
    """Queue again what dead workers were running, and ``orphans``; return how many."""
    return len(await repository.rescue(session, stalled_s=stalled_s, orphans=orphans))


async def held_by(session: AsyncSession, worker_id: int) -> set[int]:
    """Return the places in the queue of what it believes a worker to be running."""
    return await repository.held_by(session, worker_id)


async def try_housekeeping(session: AsyncSession) -> bool:
    """Become the one worker that keeps house until the transaction ends, if none is."""
    return await repository.try_lock(session, "housekeeping")


async def open_house(session: AsyncSession) -> Sequence[UUID]:
    """Empty the queue of rows that will never run; return all tenants, to go on with."""
    await repository.prune_queue(session)
    return await repository.tenants_across_tenants(session)


async def repair(session: AsyncSession, tenant_id: UUID, *, now: datetime) -> int:
    """Mend unfinished jobs of a tenant that the queue forgot; return how many there were.

    The queue and the job are written together, so this finds nothing unless somebody removed the
    queue's rows, or a job was cancelled in the instant that its task went back to the queue.
    """
    idle = await repository.lock_idle(session, tenant_id, before=now - _IDLE, limit=_BATCH)
    if not idle:
        return 0
    known = await repository.live(
        session, [step["queue_id"] for job in idle for step in job.tasks if _is_open(step)]
    )
    mended = 0
    for job in idle:
        lost = [
            position
            for position, step in enumerate(job.tasks)
            if _is_open(step) and step["queue_id"] not in known
        ]
        if lost:
            await _mend(session, job, lost, now)
            mended += 1
    return mended


async def _mend(session: AsyncSession, job: Job, lost: Sequence[int], now: datetime) -> None:
    """Cancel the lost steps if that was asked for, else queue them again."""
    if job.cancel_requested:
        job.tasks = [
            {**step, "status": "cancelled"} if position in lost else step
            for position, step in enumerate(job.tasks)
        ]
    else:
        await requeue(session, job, lost)
    settle(job, now)


async def prune(session: AsyncSession, tenant_id: UUID, *, before: datetime) -> bool:
    """Delete a batch of a tenant's jobs that finished before; say whether there may be more."""
    deleted = await repository.prune_jobs(
        session, tenant_id, made_before=_first_id(before), before=before, limit=_BATCH
    )
    return deleted == _BATCH


def _is_open(step: Step) -> bool:
    return not kernel.is_finished(step["status"])


def _first_id(at: datetime) -> UUID:
    """Return the least UUIDv7 of that millisecond; a minute later, as clocks may differ."""
    milliseconds = int((at + timedelta(minutes=1)).timestamp() * 1000)
    return UUID(int=milliseconds << 80)
