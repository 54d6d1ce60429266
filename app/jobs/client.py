"""The queue's worker (procrastinate), around one function of ours."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import procrastinate
from procrastinate.jobs import DeleteJobCondition, Job
from procrastinate.middleware import AsyncCallNext
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.worker import Worker
from psycopg import AsyncConnection

from app.jobs import kernel
from app.jobs.schemas import RUN, Later, QueuedTask
from app.kit.clock import now
from app.kit.database import APPLICATION_ROLE, sqlalchemy_url
from app.kit.settings import JobSettings

# Nobody is told when a retry falls due, and a notice that comes while the worker looks is lost.
POLL_S = 0.5
_ABORT_POLL_S = 2.0
_POOL_TIMEOUT_S = 5.0
_AGAIN = timedelta(seconds=5)

Execute = Callable[[QueuedTask], Awaitable[Later | None]]
"""Runs a task to its end; returns when it is to run again, or ``None`` when it is done with."""


class _PutBackError(Exception):
    """Takes a decision through the queue's worker, which only asks after an exception."""

    def __init__(self, later: Later) -> None:
        super().__init__()
        self.later = later


class _Retry(BaseRetryStrategy):
    """Nothing ever fails in the queue: what failed for good is ours to know."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, _PutBackError):
            later = exception.later
            return RetryDecision(retry_at=later.at, priority=later.priority)
        if isinstance(exception, asyncio.CancelledError):  # the worker is being stopped
            return RetryDecision(retry_at=now())
        at = now() + _AGAIN  # the database went away while we noted how it ended
        return RetryDecision(retry_at=at, priority=kernel.retry_priority(at))


class QueueWorker:
    """Takes tasks from the queue until told to stop. One use."""

    def __init__(
        self,
        url: str,
        execute: Execute,
        settings: JobSettings,
        *,
        drain_s: float,
        waits: bool = True,
    ) -> None:
        self.running: set[int] = set()
        """Places in the queue of the tasks that run here now."""
        self._execute = execute
        self._app = procrastinate.App(connector=_connector(url, settings))
        self._app.task(name=RUN, pass_context=True, retry=_Retry())(self._run)
        self._worker = Worker(
            self._app,
            concurrency=settings.concurrency,
            wait=waits,
            fetch_job_polling_interval=POLL_S,
            abort_job_polling_interval=_ABORT_POLL_S,
            shutdown_graceful_timeout=drain_s,
            delete_jobs=DeleteJobCondition.ALWAYS,
            install_signal_handlers=False,
            update_heartbeat_interval=settings.stalled_s / 3,
            stalled_worker_timeout=float(settings.stalled_s),
            worker_middleware=[self._watch],
        )

    @property
    def worker_id(self) -> int | None:
        """The queue's name for this worker while it runs."""
        return self._worker.worker_id

    async def run(self) -> None:
        """Take tasks until ``stop``; then give the running ones the drain time, and end them.

        Raises:
            procrastinate.exceptions.ConnectorException: the database is away.
        """
        async with self._open():
            await self._worker.run()  # type: ignore[no-untyped-call]  # the library's

    def stop(self) -> None:
        """Take no further tasks."""
        self._worker.stop()  # type: ignore[no-untyped-call]  # the library's

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[None]:
        await self._app.open_async()
        try:
            yield
        finally:
            await self._app.close_async()

    async def _run(
        self,
        context: procrastinate.JobContext,
        tenant_id: str,
        owner_id: int | None,
        job_id: str,
        name: str,
        position: int,
    ) -> None:
        assert context.job.id is not None
        task = QueuedTask(
            queue_id=context.job.id,
            tenant_id=UUID(tenant_id),
            owner_id=owner_id,
            job_id=UUID(job_id),
            name=name,
            position=position,
        )
        later = await self._execute(task)
        if later is not None:
            raise _PutBackError(later)

    async def _watch(
        self, call_next: AsyncCallNext, context: procrastinate.JobContext, worker: Worker
    ) -> Any:  # noqa: ANN401  -- the library's signature
        """Know what runs; look for the owner's next task as soon as this one is through.

        The worker itself would wait for its next poll, as the end of a task is no news to it.
        """
        queue_id = context.job.id or 0
        self.running.add(queue_id)

        def done(_: asyncio.Task[Any]) -> None:
            self.running.discard(queue_id)
            worker._new_job_event.set()

        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(done)
        return await call_next()


def _connector(url: str, settings: JobSettings) -> procrastinate.PsycopgConnector:
    return procrastinate.PsycopgConnector(
        conninfo=sqlalchemy_url(url).set(drivername="postgresql").render_as_string(False),
        kwargs={"application_name": "remembrancer-queue", "connect_timeout": 10},
        configure=_act_as_application,
        min_size=1,
        max_size=min(settings.concurrency, 4) + 1,
        timeout=_POOL_TIMEOUT_S,
    )


async def _act_as_application(connection: AsyncConnection[Any]) -> None:
    await connection.execute(
        "SELECT set_config('role', %s, false) WHERE current_user <> %s",
        (APPLICATION_ROLE, APPLICATION_ROLE),
    )
    if not connection.autocommit:
        await connection.commit()
