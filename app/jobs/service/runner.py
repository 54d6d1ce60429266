"""Runs one task as the queue hands it over, and notes how it ends."""

import asyncio
import time
import traceback
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from app.jobs import kernel
from app.jobs.errors import TaskError, TaskPostponedError, describe
from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.schemas import Later, QueuedTask
from app.jobs.service import running
from app.jobs.service.running import Begun, Result
from app.kit import clock
from app.kit.database import Database
from app.kit.errors import DatabaseUnavailableError
from app.kit.logging import get_logger
from app.kit.settings import JobSettings

_REPORT_EVERY_S = 1.0
_JUST_TOLD_S = 0.5
_NOTE_WAITS_S = (0.2, 0.4, 0.8, 1.6, 3.2)
_APP = Path(__file__).parents[2]

Answer = TypeVar("Answer")

log = get_logger("jobs")


@dataclass(frozen=True, slots=True)
class _End:
    """How an attempt ended, when to run the task again, and what was raised."""

    result: Result
    later: Later | None = None
    error: BaseException | None = None


class Runner:
    """Runs one task after another as the queue hands them over, and notes how they end."""

    def __init__(self, database: Database, registry: TaskRegistry, settings: JobSettings) -> None:
        self._database = database
        self._registry = registry
        self._settings = settings

    async def run(self, task: QueuedTask) -> Later | None:
        """Run a task; return when it is to run again, ``None`` when it is done with."""
        async with self._database.transaction(tenant_id=task.tenant_id) as session:
            begun = await running.begin(
                session, task, max_attempts=self._settings.max_attempts, now=clock.now()
            )
        if begun is None:
            return None
        started = time.monotonic()
        end = await self._attempt(task, begun)
        status = await _to_the_end(self._note(task, begun.attempt, end.result))
        _log(task, begun.attempt, status, time.monotonic() - started, end.error)
        return end.later if status == "queued" else None

    async def _attempt(self, task: QueuedTask, begun: Begun) -> "_End":
        """Run the task's function; say how it ended and when to run it again."""
        try:
            await self._call(task, begun)
        except asyncio.CancelledError as error:
            current = asyncio.current_task()
            if current is None or not current.cancelling():
                return self._failed(error, begun.attempt)
            current.uncancel()  # what is noted next must not be taken for cancelled too
            return _End(Result("queued", counts=False), Later(clock.now()))
        except TaskPostponedError as error:
            later = _later(timedelta(seconds=error.retry_in_s))
            waits = error.retry_in_s > 0
            result = Result("queued", describe(error), counts=False, waits=waits)
            return _End(result, later, error)
        except Exception as error:
            return self._failed(error, begun.attempt)
        return _End(Result("succeeded"))

    async def _call(self, task: QueuedTask, begun: Begun) -> None:
        function = self._registry.tasks.get(task.name)
        if function is None:
            msg = "This worker knows no such task."
            raise TaskError(msg)
        await function(
            TaskContext(
                database=self._database,
                tenant_id=task.tenant_id,
                owner_id=task.owner_id,
                job_id=task.job_id,
                attempt=begun.attempt,
                waited_s=begun.waited_s,
                reporter=_Reporter(self._database, task, begun.attempt),
                cancel_check=_CancelCheck(self._database, task),
            )
        )

    def _failed(self, error: BaseException, attempt: int) -> "_End":
        if attempt >= self._settings.max_attempts:
            return _End(Result("failed", describe(error)), error=error)
        later = _later(kernel.backoff(attempt, self._settings.backoff_s))
        return _End(Result("queued", describe(error)), later, error)

    async def _note(self, task: QueuedTask, attempt: int, result: Result) -> str | None:
        """Note how the attempt ended, with patience for a database that restarts."""
        for wait_s in _NOTE_WAITS_S:
            try:
                return await self._note_once(task, attempt, result)
            except DatabaseUnavailableError:
                await asyncio.sleep(wait_s)
        return await self._note_once(task, attempt, result)

    async def _note_once(self, task: QueuedTask, attempt: int, result: Result) -> str | None:
        async with self._database.transaction(tenant_id=task.tenant_id) as session:
            return await running.finish(session, task, attempt, result, now=clock.now())


class _CancelCheck:
    """Asks whether the job is to stop; not at once after its attempt has begun, which told."""

    def __init__(self, database: Database, task: QueuedTask) -> None:
        self._database = database
        self._task = task
        self._known_until = time.monotonic() + _JUST_TOLD_S

    async def __call__(self) -> bool:
        if time.monotonic() < self._known_until:
            self._known_until = 0.0
            return False
        task = self._task
        async with self._database.transaction(tenant_id=task.tenant_id) as session:
            return await running.cancel_is_requested(session, task.tenant_id, task.job_id)


class _Reporter:
    """Writes a task's progress, at most once a second."""

    def __init__(self, database: Database, task: QueuedTask, attempt: int) -> None:
        self._database = database
        self._task = task
        self._attempt = attempt
        self._written_at = float("-inf")

    async def __call__(self, progress: float) -> None:
        if time.monotonic() - self._written_at < _REPORT_EVERY_S:
            return
        self._written_at = time.monotonic()
        async with self._database.transaction(tenant_id=self._task.tenant_id) as session:
            await running.note_progress(
                session, self._task, self._attempt, progress, now=clock.now()
            )


def where(error: BaseException) -> str | None:
    """Return the last line of ours that an error passed through: a place, never a value."""
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if _APP in Path(frame.filename).parents
    ]
    if not ours:
        return None
    last = ours[-1]
    return f"{Path(last.filename).relative_to(_APP)}:{last.lineno} {last.name}"


async def _to_the_end(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Await work that a stop of the worker must not tear in two; be cancelled after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _later(wait: timedelta) -> Later:
    at = clock.now() + wait
    return Later(at, kernel.retry_priority(at))


def _log(
    task: QueuedTask, attempt: int, status: str | None, seconds: float, error: BaseException | None
) -> None:
    told = {"error": describe(error), "where": where(error)} if error else {}
    log.info(
        "task ended",
        task=task.name,
        status=status or "lost",
        attempt=attempt,
        duration_ms=round(seconds * 1000, 1),
        job_id=str(task.job_id),
        tenant_id=str(task.tenant_id),
        owner_id=task.owner_id,
        **told,
    )
