"""The worker: order, retries, take-over, shutdown, housekeeping."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.jobs.errors import TaskError, TaskPostponedError
from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.tasks import JobWorker, register
from app.kit.clock import now
from app.kit.database import Database
from app.kit.settings import HousekeepingSettings, JobSettings, Settings
from tests.jobs.conftest import Owner, World, running, until

pytestmark = pytest.mark.pg


class Script:
    """Tasks that note when they run; some wait, some fail."""

    def __init__(self, registry: TaskRegistry) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.release = asyncio.Event()
        self._registry = registry

    def note(self, *names: str) -> None:
        for name in names:
            self._registry.task(name, self._noting(name))

    def wait(self, name: str) -> None:
        async def run(_: TaskContext) -> None:
            self.begun.append(name)
            await self.release.wait()
            self.ended.append(name)

        self._registry.task(name, run)

    def fail(self, name: str, *errors: Exception) -> None:
        """Fail with each error in turn, with the last one for ever."""
        left = list(errors)

        async def run(_: TaskContext) -> None:
            self.begun.append(name)
            raise left.pop(0) if len(left) > 1 else left[0]

        self._registry.task(name, run)

    def _noting(self, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        async def run(_: TaskContext) -> None:
            self.begun.append(name)
            await asyncio.sleep(0)
            self.ended.append(name)

        return run

    async def has_begun(self, name: str, times: int = 1) -> None:
        async def is_so() -> bool:
            return self.begun.count(name) >= times

        await until(is_so)


@pytest.fixture
def script(registry: TaskRegistry) -> Script:
    return Script(registry)


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


# Workers in processes of their own


@asynccontextmanager
async def process(settings: Settings, log: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a worker process whose tasks write to a file when they begin and end."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.jobs.process",
        str(log),
        env={**os.environ, "APP_DATABASE_URL": settings.required_database_url()},
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


def lines(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


async def logged(log: Path, event: str, within_s: float = 30) -> None:
    async def is_so() -> bool:
        return any(line[0] == event for line in lines(log))

    await until(is_so, within_s)


async def test_two_processes_run_the_tasks_of_one_owner_one_at_a_time(
    settings: Settings, world: World, owner: Owner, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    other = await world.owner("bob", tenant_id=owner.tenant_id)

    async def both_started() -> bool:
        return len(await world.all("SELECT * FROM procrastinate_workers")) == 2

    async with process(settings, log), process(settings, log):
        await until(both_started, within_s=60)
        jobs = [(one, await one.queue("test.nap", "test.nap")) for one in (owner, other) * 4]
        ended = [await one.finished(job_id, within_s=60) for one, job_id in jobs]

    assert {job.status for job in ended} == {"succeeded"}
    for one in (owner, other):
        events = [event for event, _, owner_id in lines(log) if owner_id == str(one.owner_id)]
        assert events == ["begin", "end"] * 8
    assert len({pid for _, pid, _ in lines(log)}) == 2


async def test_the_task_of_a_killed_worker_is_done_by_another_within_a_minute(
    settings: Settings, owner: Owner, worker_settings: Settings, database: Database, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    ran: list[int] = []

    async def run(context: TaskContext) -> None:
        ran.append(context.attempt)

    registry = TaskRegistry()
    registry.task("test.hang", run)
    job_id = await owner.queue("test.hang")
    async with process(settings, log) as first:
        await logged(log, "begin")
        first.send_signal(signal.SIGKILL)
        await first.wait()
        async with running(JobWorker(database, registry, worker_settings)):
            job = await owner.finished(job_id, within_s=30)

    assert (job.status, job.attempts, ran) == ("succeeded", 2, [2])


async def test_a_worker_told_to_stop_ends_soon_and_puts_its_task_back(
    settings: Settings, owner: Owner, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    job_id = await owner.queue("test.hang")
    async with process(settings, log) as first:
        await logged(log, "begin")
        started = time.monotonic()
        first.terminate()
        code = await first.wait()

    assert time.monotonic() - started < 8
    assert code == 0
    job = await owner.read(job_id)
    assert (job.status, job.attempts) == ("queued", 0)


# Upkeep


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
