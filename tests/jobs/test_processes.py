"""Workers in processes of their own: one at a time, killed, stopped."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.tasks import JobWorker
from app.kit.database import Database
from app.kit.settings import Settings
from tests.jobs.conftest import Owner, World, running, until

pytestmark = pytest.mark.pg


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
