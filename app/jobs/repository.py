"""Every statement on jobs and on the queue's own tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

QUEUE = "default"
RUN = "remembrancer.run"
"""The one task the queue knows; which of ours it runs stands in its arguments."""

# One round trip: the tasks go to the queue, and the job remembers where in the queue they are.
# Arguments hold ids and the task's name, never text.
_ENQUEUE = sa.text("""
WITH steps AS (
    SELECT name, position - 1 AS position
    FROM unnest(CAST(:tasks AS text[])) WITH ORDINALITY AS given (name, position)
), queued AS MATERIALIZED (
    SELECT procrastinate_defer_jobs_v1(array_agg(
        ROW(
            CAST(:queue AS varchar), CAST(:run AS varchar), 0, CAST(:lock AS text), NULL,
            jsonb_build_object(
                'tenant_id', CAST(:tenant_id AS uuid), 'owner_id', CAST(:owner_id AS bigint),
                'job_id', CAST(:job_id AS uuid), 'task', name, 'position', position),
            NULL
        )::procrastinate_job_to_defer_v1 ORDER BY position
    )) AS ids FROM steps
)
INSERT INTO jobs (tenant_id, id, owner_id, kind, status, tasks, created_at, updated_at)
SELECT :tenant_id, :job_id, :owner_id, :kind, 'queued', (
    SELECT jsonb_agg(jsonb_build_object(
        'name', name, 'status', 'queued', 'attempts', 0, 'error', NULL,
        'queue_id', ids[position + 1]) ORDER BY position)
    FROM steps
), :now, :now
FROM queued
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job about to be queued: its tasks in order."""

    tenant_id: UUID
    job_id: UUID
    owner_id: int | None
    kind: str
    tasks: Sequence[str]
    now: datetime


def lock_of(owner_id: int | None, job_id: UUID) -> str:
    """Return the queue's lock: tasks of one owner, or of one ownerless job, run one at a time."""
    return f"job:{job_id}" if owner_id is None else f"owner:{owner_id}"


async def enqueue(session: AsyncSession, new: NewJob) -> None:
    """Insert the job and hand its tasks to the queue."""
    values = {
        "tenant_id": new.tenant_id,
        "job_id": new.job_id,
        "owner_id": new.owner_id,
        "kind": new.kind,
        "tasks": list(new.tasks),
        "queue": QUEUE,
        "run": RUN,
        "lock": lock_of(new.owner_id, new.job_id),
        "now": new.now,
    }
    await session.execute(_ENQUEUE, values)
