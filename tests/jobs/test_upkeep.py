"""Upkeep: take-over, repair, housekeeping."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.jobs.protocol import TaskRegistry
from app.jobs.tasks import JobWorker, register
from app.kit.clock import now
from app.kit.database import Database
from app.kit.settings import HousekeepingSettings, Settings
from tests.jobs.conftest import Owner, Script, World, running, until

pytestmark = pytest.mark.pg


async def test_a_task_that_kills_every_worker_fails_in_the_end(
    world: World, owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.note("test.one")
    job_id = await owner.queue("test.one")
    await world.do(
        "UPDATE jobs SET status = 'running', "
        """tasks = jsonb_set(jsonb_set(tasks, '{0,status}', '"running"'), '{0,attempts}', '3')"""
    )
    await world.do("UPDATE procrastinate_jobs SET status = 'doing'")

    async with running(worker):
        job = await owner.finished(job_id)

    assert job.status == "failed"
    assert job.error is not None
    assert "WorkerLost" in job.error
    assert script.begun == []


async def test_a_task_that_a_live_worker_lost_hold_of_is_run_again(
    world: World, owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.wait("test.wait")
    script.note("test.lost")
    waiting = await owner.queue("test.wait")
    other = await world.owner("bob", tenant_id=owner.tenant_id)
    async with running(worker):
        await script.has_begun("test.wait")
        await world.do("ALTER TABLE procrastinate_jobs DISABLE TRIGGER USER")
        lost = await other.queue("test.lost")
        await world.do(
            "UPDATE procrastinate_jobs SET status = 'doing', "
            "worker_id = (SELECT max(id) FROM procrastinate_workers) WHERE status = 'todo'"
        )
        before = list(script.begun)
        await worker.take_over()
        await worker.take_over()
        job = await other.finished(lost)
        script.release.set()
        await owner.finished(waiting)

    assert before == ["test.wait"]
    assert job.status == "succeeded"
    assert script.ended.count("test.wait") == 1


async def test_a_job_that_the_queue_forgot_is_queued_again(
    world: World, owner: Owner, worker: JobWorker, registry: TaskRegistry, script: Script
) -> None:
    register(registry, HousekeepingSettings())
    script.note("test.one", "test.two")
    job_id = await owner.queue("test.one", "test.two")
    await world.do("DELETE FROM procrastinate_jobs")
    await world.do("UPDATE jobs SET updated_at = now() - interval '2 minutes'")

    await worker.keep_house()
    await worker.drain()

    assert (await owner.read(job_id)).status == "succeeded"
    assert script.ended == ["test.one", "test.two"]


async def test_housekeeping_leaves_alone_what_waits_and_what_runs(
    owner: Owner, worker: JobWorker, registry: TaskRegistry, script: Script, world: World
) -> None:
    register(registry, HousekeepingSettings(jobs_days=0))
    script.wait("test.wait")
    job_id = await owner.queue("test.wait", "test.wait")
    async with running(worker):
        await script.has_begun("test.wait")
        await world.do("UPDATE jobs SET updated_at = now() - interval '2 minutes'")
        await worker.keep_house()
        script.release.set()
        job = await owner.finished(job_id)

    assert job.status == "succeeded"
    assert script.begun == ["test.wait"] * 2


async def test_housekeeping_deletes_finished_jobs_when_they_are_old(
    world: World, owner: Owner, worker: JobWorker, registry: TaskRegistry, script: Script
) -> None:
    register(registry, HousekeepingSettings(jobs_days=30))
    script.note("test.one")
    old, new = await owner.queue("test.one"), await owner.queue("test.one")
    await worker.drain()
    month_old = UUID(int=old.int - (int(timedelta(days=31).total_seconds() * 1000) << 80))
    await world.do(
        f"UPDATE jobs SET id = '{month_old}', finished_at = finished_at - interval '31 days' "
        f"WHERE id = '{old}'"
    )

    await worker.keep_house()

    assert [row.id for row in await world.all("SELECT id FROM jobs")] == [new]


async def test_housekeeping_visits_every_tenant_and_survives_a_failing_chore(
    world: World, owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    other = await world.owner("bob")
    visited: list[UUID] = []

    async def fail(_: Database, __: UUID, ___: datetime) -> None:
        raise ValueError

    async def visit(_: Database, tenant_id: UUID, at: datetime) -> None:
        assert now() - at < timedelta(minutes=1)
        visited.append(tenant_id)

    registry.housekeeping("test.fail", fail)
    registry.housekeeping("test.visit", visit)

    await worker.keep_house()

    assert set(visited) == {owner.tenant_id, other.tenant_id}


async def test_only_one_worker_keeps_house_at_a_time(
    database: Database, owner: Owner, worker_settings: Settings
) -> None:
    begun: list[UUID] = []
    release = asyncio.Event()

    async def dawdle(_: Database, tenant_id: UUID, __: datetime) -> None:
        begun.append(tenant_id)
        await release.wait()

    registry = TaskRegistry()
    registry.housekeeping("test.dawdle", dawdle)
    first, second = (JobWorker(database, registry, worker_settings) for _ in range(2))

    async with asyncio.TaskGroup() as group:
        group.create_task(first.keep_house())
        await until(lambda: _is_one(begun))
        await second.keep_house()
        release.set()

    assert begun == [owner.tenant_id]


async def _is_one(begun: Sequence[UUID]) -> bool:
    return len(begun) == 1
