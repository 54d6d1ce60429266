"""Every statement on jobs and on the queue's own tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.models import Job
from app.jobs.schemas import QUEUE, RUN, JobQuery, OwnerName

_owners = sa.table(
    "owners",
    sa.column("owner_id", sa.BigInteger),
    sa.column("kind", sa.Text),
    sa.column("external_id", sa.Text),
)
_tenants = sa.table("tenants", sa.column("tenant_id", sa.Uuid))

# One round trip: join a job that waits, or hand the tasks to the queue and make the job, which
# remembers where in the queue they are. The queue's arguments hold ids and names, never text.
# The share lock keeps a worker from starting the joined job before this transaction commits, so
# its tasks see what the transaction wrote. Index: ix_jobs_owner_id_kind.
_ENQUEUE = sa.text("""
WITH joined AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE CAST(:joins AS boolean) AND tenant_id = :tenant_id AND owner_id = :owner_id
        AND agent_id IS NOT DISTINCT FROM CAST(:agent_id AS text)
        AND kind = :kind AND status = 'queued' AND NOT cancel_requested
        AND jsonb_path_query_array(tasks, '$[*] ? (@.status == "queued").name')
            = to_jsonb(CAST(:tasks AS text[]))
    ORDER BY id LIMIT 1
    FOR SHARE SKIP LOCKED
), steps AS (
    SELECT name, position - 1 AS position
    FROM unnest(CAST(:tasks AS text[])) WITH ORDINALITY AS given (name, position)
), queued AS MATERIALIZED (
    SELECT procrastinate_defer_jobs_v1(array_agg(
        ROW(
            CAST(:queue AS varchar), CAST(:run AS varchar), 0, CAST(:lock AS text), NULL,
            jsonb_build_object(
                'tenant_id', CAST(:tenant_id AS uuid), 'owner_id', CAST(:owner_id AS bigint),
                'job_id', CAST(:job_id AS uuid), 'name', name, 'position', position),
            NULL
        )::procrastinate_job_to_defer_v1 ORDER BY position
    )) AS ids FROM steps HAVING NOT EXISTS (SELECT FROM joined)
), made AS (
    INSERT INTO jobs
        (tenant_id, id, owner_id, agent_id, kind, status, tasks, created_at, updated_at)
    SELECT :tenant_id, :job_id, :owner_id, :agent_id, :kind, 'queued', (
        SELECT jsonb_agg(jsonb_build_object(
            'name', name, 'status', 'queued', 'attempts', 0, 'error', NULL,
            'queue_id', ids[position + 1]) ORDER BY position)
        FROM steps
    ), :now, :now
    FROM queued
    RETURNING id
)
SELECT id FROM joined UNION ALL SELECT id FROM made
""").columns(id=sa.Uuid)

_QUEUE_AGAIN = sa.text("""
SELECT procrastinate_defer_jobs_v1(array_agg(
    ROW(
        CAST(:queue AS varchar), CAST(:run AS varchar), 0, CAST(:lock AS text), NULL,
        jsonb_build_object(
            'tenant_id', CAST(:tenant_id AS uuid), 'owner_id', CAST(:owner_id AS bigint),
            'job_id', CAST(:job_id AS uuid), 'name', name, 'position', position),
        NULL
    )::procrastinate_job_to_defer_v1 ORDER BY position
))
FROM unnest(CAST(:names AS text[]), CAST(:positions AS bigint[])) AS given (name, position)
""").columns(sa.column("ids", sa.ARRAY(sa.BigInteger)))

_WITHDRAW = sa.text(
    "SELECT procrastinate_cancel_job_v1(id, true, true) FROM unnest(CAST(:ids AS bigint[])) AS id"
)
_LIVE = sa.text("""
SELECT id FROM procrastinate_jobs
WHERE id = ANY(CAST(:ids AS bigint[])) AND status IN ('todo', 'doing')
""")
_DEPTH = sa.text("""
SELECT status::text, count(*) FROM procrastinate_jobs
WHERE status IN ('todo', 'doing') GROUP BY status
""")
_BACKLOG = sa.text("""
SELECT args->>'name', count(*) FROM procrastinate_jobs WHERE status = 'todo' GROUP BY 1
""")
_DUE = sa.text("""
SELECT EXISTS (
    SELECT FROM procrastinate_jobs waiting
    WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now() AND NOT EXISTS (
        SELECT FROM procrastinate_jobs running
        WHERE running.lock = waiting.lock AND running.status = 'doing'))
""")

_PRUNE_WORKERS = sa.text("SELECT procrastinate_prune_stalled_workers_v1(:stalled_s)")
# A row with a request to abort would be failed instead of queued again; ours then finds the
# request in the job itself.
_RESCUE = sa.text("""
WITH lost AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE status = 'doing' AND (worker_id IS NULL OR id = ANY(CAST(:orphans AS bigint[])))
    ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE procrastinate_jobs queue
SET status = 'todo', abort_requested = false, worker_id = NULL, attempts = attempts + 1,
    scheduled_at = now()
FROM lost WHERE queue.id = lost.id
RETURNING queue.id
""")
_HELD = sa.text(
    "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = :worker_id"
)
# Finished rows are deleted by the worker; what is left here was withdrawn or lost a race.
_PRUNE_QUEUE = sa.text("DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing')")
_PRUNE_JOBS = sa.text("""
DELETE FROM jobs WHERE tenant_id = :tenant_id AND id IN (
    SELECT id FROM jobs
    WHERE tenant_id = :tenant_id AND id < :made_before AND finished_at < :before
    ORDER BY id LIMIT :limit
)
""")
_OPERATE = sa.text("SELECT set_config('app.operator', 'on', true)")
_TRY_LOCK = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job about to be queued: its tasks in order."""

    tenant_id: UUID
    job_id: UUID
    owner_id: int | None
    agent_id: str | None
    kind: str
    tasks: Sequence[str]
    joins: bool
    now: datetime


class NamedJob(NamedTuple):
    """A job and whom it is about, as callers name it."""

    job: Job
    owner_kind: str | None
    owner_name: str | None


def _lock_name(owner_id: int | None, job_id: UUID) -> str:
    """Return the queue's lock: tasks of one owner, or of one ownerless job, run one at a time."""
    return f"job:{job_id}" if owner_id is None else f"owner:{owner_id}"


async def enqueue(session: AsyncSession, new: NewJob) -> UUID:
    """Hand the tasks to the queue and insert the job, or join a waiting one; return its id."""
    values = {
        "tenant_id": new.tenant_id,
        "job_id": new.job_id,
        "owner_id": new.owner_id,
        "agent_id": new.agent_id,
        "kind": new.kind,
        "tasks": list(new.tasks),
        "joins": new.joins,
        "queue": QUEUE,
        "run": RUN,
        "lock": _lock_name(new.owner_id, new.job_id),
        "now": new.now,
    }
    job_id: UUID = (await session.execute(_ENQUEUE, values)).scalar_one()
    return job_id


async def queue_again(session: AsyncSession, job: Job, positions: Sequence[int]) -> list[int]:
    """Hand these steps of a job to the queue again; return their places in it, in order."""
    values = {
        "tenant_id": job.tenant_id,
        "job_id": job.id,
        "owner_id": job.owner_id,
        "names": [job.tasks[position]["name"] for position in positions],
        "positions": list(positions),
        "queue": QUEUE,
        "run": RUN,
        "lock": _lock_name(job.owner_id, job.id),
    }
    return list((await session.execute(_QUEUE_AGAIN, values)).scalar_one())


def _named(tenant_id: UUID, bound: OwnerName | None) -> sa.Select[Job, str | None, str | None]:
    """Select what a caller may see: the tenant's jobs, or those of the owner it is bound to."""
    statement = (
        sa.select(Job, _owners.c.kind, _owners.c.external_id)
        .outerjoin(_owners, _owners.c.owner_id == Job.owner_id)
        .where(Job.tenant_id == tenant_id)
    )
    if bound is None:
        return statement
    if bound.kind == "agent":
        return statement.where(_is_of_agent(bound.external_id))
    return statement.where(_is_of_user(bound.external_id))


def _is_of_user(user_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(_owners.c.kind == "user", _owners.c.external_id == user_id)


def _is_of_agent(agent_id: str) -> sa.ColumnElement[bool]:
    """Match jobs about an agent, and those it asked for that are about a user."""
    is_about = sa.and_(_owners.c.kind == "agent", _owners.c.external_id == agent_id)
    return sa.or_(is_about, Job.agent_id == agent_id)


async def find(
    session: AsyncSession, tenant_id: UUID, job_id: UUID, bound: OwnerName | None
) -> NamedJob | None:
    """Return a job of the tenant, or of the one owner that the caller is bound to."""
    statement = _named(tenant_id, bound).where(Job.id == job_id)
    row = (await session.execute(statement)).one_or_none()
    return NamedJob(*row) if row else None


async def page(
    session: AsyncSession,
    tenant_id: UUID,
    bound: OwnerName | None,
    wanted: JobQuery,
    *,
    before: UUID | None,
) -> list[NamedJob]:
    """Return a page of jobs and the first of the next, newest first. Index: pk_jobs."""
    conditions = (
        None if wanted.user_id is None else _is_of_user(wanted.user_id),
        None if wanted.agent_id is None else _is_of_agent(wanted.agent_id),
        None if wanted.status is None else Job.status == wanted.status,
        None if wanted.kind is None else Job.kind == wanted.kind,
        None if before is None else Job.id < before,
    )
    statement = _named(tenant_id, bound).where(*(one for one in conditions if one is not None))
    rows = await session.execute(statement.order_by(Job.id.desc()).limit(wanted.limit + 1))
    return [NamedJob(*row) for row in rows]


async def lock(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> Job | None:
    """Return a job that nobody else changes until the transaction ends."""
    statement = (
        sa.select(Job)
        .where(Job.tenant_id == tenant_id, Job.id == job_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return await session.scalar(statement)


async def lock_idle(
    session: AsyncSession, tenant_id: UUID, *, before: datetime, limit: int
) -> Sequence[Job]:
    """Return unfinished jobs that nothing happened to since ``before``, locked.

    Index: ix_jobs_tenant_id_id.
    """
    statement = (
        sa.select(Job)
        .where(Job.tenant_id == tenant_id, Job.finished_at.is_(None), Job.updated_at < before)
        .order_by(Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement)).all()


async def cancel_is_requested(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> bool:
    """Say whether a user wants the job to stop; so does one whose job is gone."""
    statement = sa.select(Job.cancel_requested).where(Job.tenant_id == tenant_id, Job.id == job_id)
    return (await session.scalar(statement)) is not False


async def withdraw(session: AsyncSession, queue_ids: Sequence[int]) -> set[int]:
    """Take tasks out of the queue; return those that run now, which are told to stop."""
    ids = {"ids": list(queue_ids)}
    await session.execute(_WITHDRAW, ids)
    return await live(session, queue_ids)


async def live(session: AsyncSession, queue_ids: Sequence[int]) -> set[int]:
    """Return which of these the queue still has to run or is running."""
    return set(await session.scalars(_LIVE, {"ids": list(queue_ids)}))


async def queue_depth(session: AsyncSession) -> dict[str, int]:
    """Return how many tasks wait (``todo``) and run (``doing``), of all tenants."""
    found = {row[0]: row[1] for row in await session.execute(_DEPTH)}
    return {"todo": found.get("todo", 0), "doing": found.get("doing", 0)}


async def backlog(session: AsyncSession) -> dict[str, int]:
    """Return how many tasks of each name wait, of all tenants."""
    return {row[0]: row[1] for row in await session.execute(_BACKLOG)}


async def is_due(session: AsyncSession) -> bool:
    """Say whether some task could run now."""
    return bool(await session.scalar(_DUE))


async def rescue(session: AsyncSession, *, stalled_s: float, orphans: Sequence[int]) -> list[int]:
    """Queue again what dead workers ran, and ``orphans``; return the places in the queue."""
    await session.execute(_PRUNE_WORKERS, {"stalled_s": stalled_s})
    return list(await session.scalars(_RESCUE, {"orphans": list(orphans)}))


async def held_by(session: AsyncSession, worker_id: int) -> set[int]:
    """Return what the queue believes a worker to be running."""
    return set(await session.scalars(_HELD, {"worker_id": worker_id}))


async def prune_jobs(
    session: AsyncSession, tenant_id: UUID, *, made_before: UUID, before: datetime, limit: int
) -> int:
    """Delete up to ``limit`` jobs finished before ``before``; return how many.

    ``made_before`` is the least id made at that time: it bounds the scan of pk_jobs.
    """
    values = {"tenant_id": tenant_id, "made_before": made_before, "before": before, "limit": limit}
    result = await session.execute(_PRUNE_JOBS, values)
    return getattr(result, "rowcount", 0)


async def prune_queue(session: AsyncSession) -> None:
    """Delete the queue's rows that will never run."""
    await session.execute(_PRUNE_QUEUE)


async def tenants_across_tenants(session: AsyncSession) -> Sequence[UUID]:
    """Return every tenant's id; the transaction then sees all tenants' rows of ``tenants``."""
    await session.execute(_OPERATE)
    return (await session.scalars(sa.select(_tenants.c.tenant_id))).all()


async def try_lock(session: AsyncSession, name: str) -> bool:
    """Take a lock of the whole service until the transaction ends, if it is free."""
    return bool(await session.scalar(_TRY_LOCK, {"name": name}))
