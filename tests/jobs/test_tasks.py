"""The worker runs tasks: order, retries, progress."""

import asyncio
import time

import pytest

from app.jobs.errors import TaskError, TaskPostponedError
from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.tasks import JobWorker
from app.kit.database import Database
from app.kit.settings import JobSettings, Settings
from tests.jobs.conftest import Owner, Script, World, running

pytestmark = pytest.mark.pg


async def test_the_tasks_of_a_job_run_in_order_and_then_it_has_succeeded(
    owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.note("test.one", "test.two", "test.three")
    job_id = await owner.queue("test.one", "test.two", "test.three")
    before = await owner.read(job_id)

    async with running(worker):
        after = await owner.finished(job_id)

    assert (before.status, before.progress, before.started_at) == ("queued", 0, None)
    assert script.ended == ["test.one", "test.two", "test.three"]
    assert (after.status, after.progress, after.attempts, after.error) == ("succeeded", 1, 1, None)
    assert after.started_at is not None
    assert after.finished_at is not None
    assert before.created_at <= after.started_at <= after.finished_at == after.updated_at


async def test_the_next_task_of_an_owner_begins_when_the_one_before_ends(
    owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.note("test.one")
    names = ["test.one"] * 20
    async with running(worker):
        first = await owner.queue("test.one")
        await owner.finished(first)
        started = time.monotonic()
        job_id = await owner.queue(*names)
        await owner.finished(job_id)

    assert time.monotonic() - started < 5, "each task waited for the next poll"


async def test_nothing_is_left_in_the_queue_of_what_is_done(
    world: World, owner: Owner, worker: JobWorker, script: Script
) -> None:
    script.note("test.one")
    script.fail("test.two", ValueError("no"))
    job_id = await owner.queue("test.one", "test.two")

    async with running(worker):
        await owner.finished(job_id)

    assert await world.all("SELECT * FROM procrastinate_jobs") == []
    assert await world.all("SELECT * FROM procrastinate_events") == []
    assert await world.all("SELECT * FROM procrastinate_workers") == []


async def test_two_workers_run_the_tasks_of_one_owner_one_at_a_time(
    database: Database, worker_settings: Settings, world: World, owner: Owner
) -> None:
    other = await world.owner("bob", tenant_id=owner.tenant_id)
    at_work: dict[int, int] = {owner.owner_id: 0, other.owner_id: 0}
    most: dict[int, int] = dict(at_work)
    together = 0

    async def run(context: TaskContext) -> None:
        nonlocal together
        owner_id = context.required_owner_id()
        at_work[owner_id] += 1
        most[owner_id] = max(most[owner_id], at_work[owner_id])
        together = max(together, sum(at_work.values()))
        await asyncio.sleep(0.02)
        at_work[owner_id] -= 1

    registry = TaskRegistry()
    registry.task("test.run", run)
    jobs = [(one, await one.queue("test.run", "test.run")) for one in (owner, other) * 5]
    async with running(
        JobWorker(database, registry, worker_settings),
        JobWorker(database, registry, worker_settings),
    ):
        ended = [await one.finished(job_id) for one, job_id in jobs]

    assert {job.status for job in ended} == {"succeeded"}
    assert set(most.values()) == {1}
    assert together == 2


async def test_a_failing_task_is_retried_with_growing_waits_and_then_fails_its_job(
    owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    times: list[float] = []

    async def fail(_: TaskContext) -> None:
        times.append(time.monotonic())
        msg = "the thing is broken"
        raise TaskError(msg)

    registry.task("test.fail", fail)
    job_id = await owner.queue("test.fail")
    async with running(worker):
        job = await owner.finished(job_id)

    assert (job.status, job.attempts, job.progress) == ("failed", 3, 1)
    assert job.error == "test.fail: TaskError: the thing is broken"
    assert job.tasks[0].error == "TaskError: the thing is broken"
    assert times[1] - times[0] >= 0.05
    assert times[2] - times[1] >= 0.1


async def test_a_failing_task_holds_up_neither_its_chain_nor_its_owners_other_jobs(
    owner: Owner, database: Database, settings: Settings, registry: TaskRegistry, script: Script
) -> None:
    script.fail("test.fail", ValueError("no"))
    script.note("test.rest", "test.other", "test.later")
    slow = settings.model_copy(update={"jobs": JobSettings(backoff_s=3600)})
    failing = await owner.queue("test.fail", "test.rest")
    other = await owner.queue("test.other")

    async with running(JobWorker(database, registry, slow)):
        await owner.finished(other)
        later = await owner.queue("test.later")
        await owner.finished(later)
        held = await owner.read(failing)

    assert script.ended == ["test.rest", "test.other", "test.later"]
    assert [task.status for task in held.tasks] == ["queued", "succeeded"]
    assert (held.status, held.progress) == ("running", 0.5)
    assert held.error == "test.fail: ValueError"


async def test_of_two_waiting_retries_the_one_due_first_goes_first(
    owner: Owner, worker: JobWorker, registry: TaskRegistry, script: Script
) -> None:
    script.fail("test.long", TaskPostponedError("away", retry_in_s=3600))
    script.fail("test.short", TaskPostponedError("away", retry_in_s=1))
    await owner.queue("test.long")
    await owner.queue("test.short")

    async with running(worker):
        await script.has_begun("test.short", times=2)

    assert script.begun.count("test.long") == 1


async def test_a_task_that_recovers_leaves_no_error_behind(
    owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    async def fail_once(context: TaskContext) -> None:
        if context.attempt == 1:
            raise ValueError

    registry.task("test.once", fail_once)
    job_id = await owner.queue("test.once")
    async with running(worker):
        job = await owner.finished(job_id)

    assert (job.status, job.attempts, job.error) == ("succeeded", 2, None)


async def test_a_postponed_task_uses_up_no_attempt(
    owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    runs = 0

    async def wait_for_the_embedder(_: TaskContext) -> None:
        nonlocal runs
        runs += 1
        if runs <= 5:
            msg = "the embedder is away"
            raise TaskPostponedError(msg, retry_in_s=0)

    registry.task("test.embed", wait_for_the_embedder)
    job_id = await owner.queue("test.embed")
    async with running(worker):
        job = await owner.finished(job_id)

    assert (job.status, job.attempts, runs) == ("succeeded", 1, 6)


async def test_a_task_knows_for_how_long_it_has_waited_for_what_is_away(
    owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    waited = []

    async def wait_for_the_embedder(context: TaskContext) -> None:
        waited.append(context.waited_s)
        if len(waited) <= 4:
            msg = "away, or others first"
            raise TaskPostponedError(msg, retry_in_s=0 if len(waited) == 3 else 0.3)

    registry.task("test.embed", wait_for_the_embedder)
    job_id = await owner.queue("test.embed")
    async with running(worker):
        job = await owner.finished(job_id)

    assert job.status == "succeeded"
    first, second, third, fourth, fifth = waited
    assert (first, fourth) == (0, 0)
    assert 0.3 <= second < third
    assert 0.3 <= fifth < third


async def test_a_task_no_worker_knows_fails_its_job(owner: Owner, worker: JobWorker) -> None:
    job_id = await owner.queue("test.unheard_of")

    async with running(worker):
        job = await owner.finished(job_id)

    assert job.status == "failed"
    assert job.tasks[0].error == "TaskError: This worker knows no such task."


async def test_a_cancelled_error_of_the_tasks_own_making_is_a_failure(
    owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    async def give_up(_: TaskContext) -> None:
        raise asyncio.CancelledError

    registry.task("test.give_up", give_up)
    job_id = await owner.queue("test.give_up")
    async with running(worker):
        job = await owner.finished(job_id)

    assert (job.status, job.error) == ("failed", "test.give_up: CancelledError")


async def test_users_see_how_far_a_task_is(
    owner: Owner, worker: JobWorker, registry: TaskRegistry, script: Script
) -> None:
    async def report(context: TaskContext) -> None:
        await context.report(0.5)
        script.begun.append("test.report")
        await script.release.wait()

    registry.task("test.report", report)
    script.note("test.rest")
    job_id = await owner.queue("test.report", "test.rest")
    async with running(worker):
        await script.has_begun("test.report")
        half = await owner.read(job_id)
        script.release.set()
        whole = await owner.finished(job_id)

    assert (half.status, half.progress) == ("running", 0.25)
    assert whole.progress == 1
