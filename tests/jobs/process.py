"""A worker process for the tests: its tasks write to a file when they begin and end."""

import asyncio
import os
import sys
from pathlib import Path

from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.tasks import JobWorker
from app.kit.database import Database
from app.kit.settings import JobSettings, Settings
from app.worker import stop_on_signals


def _write(event: str, context: TaskContext) -> None:
    with Path(sys.argv[1]).open("a") as log:
        log.write(f"{event} {os.getpid()} {context.owner_id}\n")


async def _nap(context: TaskContext) -> None:
    _write("begin", context)
    await asyncio.sleep(0.05)
    _write("end", context)


async def _hang(context: TaskContext) -> None:
    _write("begin", context)
    await asyncio.sleep(3600)


async def main() -> None:
    """Run until told to stop."""
    settings = Settings(jobs=JobSettings(stalled_s=2, concurrency=1))
    database = Database(settings.required_database_url(), settings.database, name="worker")
    registry = TaskRegistry()
    registry.task("test.nap", _nap)
    registry.task("test.hang", _hang)
    await JobWorker(database, registry, settings).run(stop_on_signals(), drain_s=1)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
