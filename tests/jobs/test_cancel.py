"""Jobs are cancelled, retried, and put back when their worker stops."""

import asyncio

import pytest

from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.tasks import JobWorker
from tests.jobs.conftest import Owner, Script, World, running

pytestmark = pytest.mark.pg


async def test_a_job_that_waits_is_cancelled_at_once(
    world: World, owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.note("test.one")
    job_id = await owner.queue("test.one", "test.one")

    job = await owner.cancel(job_id)
    await worker.drain()

    assert (job.status, [task.status for task in job.tasks]) == ("cancelled", ["cancelled"] * 2)
    assert job.finished_at is not None
    assert script.begun == []
    assert await world.all("SELECT * FROM procrastinate_jobs") == []


async def test_a_job_that_runs_is_told_to_stop_and_runs_no_further_task(
    owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.wait("test.wait")
    script.note("test.rest")
    job_id = await owner.queue("test.wait", "test.rest")
    async with running(worker):
        await script.has_begun("test.wait")
        asked = await owner.cancel(job_id)
        job = await owner.finished(job_id, within_s=5)

    assert (asked.status, asked.cancel_requested) == ("running", True)
    assert (job.status, [task.status for task in job.tasks]) == ("cancelled", ["cancelled"] * 2)
    assert script.ended == []


async def test_a_task_sees_that_its_job_was_cancelled(
    owner: Owner, worker: JobWorker, registry: TaskRegistry, script: Script
) -> None:
    answers: list[bool] = []

    async def ask(context: TaskContext) -> None:
        answers.append(await context.is_cancelled())
        script.begun.append("test.ask")
        try:
            await script.release.wait()
        finally:
            answers.append(await context.is_cancelled())

    registry.task("test.ask", ask)
    job_id = await owner.queue("test.ask")
    async with running(worker):
        await script.has_begun("test.ask")
        await owner.cancel(job_id)
        await owner.finished(job_id)

    assert answers == [False, True]


async def test_a_retry_runs_the_unfinished_tasks_only(
    owner: Owner, worker: JobWorker, registry: TaskRegistry, script: Script
) -> None:
    is_broken = True

    async def fail(_: TaskContext) -> None:
        if is_broken:
            raise ValueError

    registry.task("test.fail", fail)
    script.note("test.one")
    job_id = await owner.queue("test.one", "test.fail")
    async with running(worker):
        failed = await owner.finished(job_id)
        is_broken = False
        again = await owner.retry(job_id)
        job = await owner.finished(job_id)

    assert failed.status == "failed"
    assert (again.status, again.progress, again.error, again.finished_at) == (
        "queued",
        0.5,
        None,
        None,
    )
    assert job.status == "succeeded"
    assert script.begun == ["test.one"]


async def test_a_stopped_worker_puts_back_what_did_not_end_within_the_drain_time(
    owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.wait("test.wait")
    job_id = await owner.queue("test.wait")

    async with running(worker, drain_s=0.1):
        await script.has_begun("test.wait")
    put_back = await owner.read(job_id)
    script.release.set()
    async with running(worker):
        job = await owner.finished(job_id)

    assert (put_back.status, put_back.tasks[0].status, put_back.attempts) == ("queued", "queued", 0)
    assert (job.status, job.attempts) == ("succeeded", 1)


async def test_a_stopped_worker_lets_a_task_end_within_the_drain_time(
    owner: Owner, worker: JobWorker, registry: TaskRegistry, script: Script
) -> None:
    async def nap(_: TaskContext) -> None:
        script.begun.append("test.nap")
        await asyncio.sleep(0.3)

    registry.task("test.nap", nap)
    job_id = await owner.queue("test.nap")
    async with running(worker):
        await script.has_begun("test.nap")

    assert (await owner.read(job_id)).status == "succeeded"


async def test_a_worker_goes_on_after_the_database_dropped_all_connections(
    world: World, owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.wait("test.wait")
    script.note("test.after")
    job_id = await owner.queue("test.wait", "test.after")
    async with running(worker):
        await script.has_begun("test.wait")
        await world.do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        script.release.set()
        await world.database.engine.dispose()
        job = await owner.finished(job_id)

    assert job.status == "succeeded"


async def test_an_erased_owners_tasks_vanish_from_the_queue(
    world: World, owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.note("test.one")
    await owner.queue("test.one")

    await world.do("DELETE FROM owners")
    await worker.drain()

    assert script.begun == []
    assert await world.all("SELECT * FROM procrastinate_jobs") == []
