"""The worker: runs tasks, takes over those of dead workers, keeps house."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import service
from app.jobs.client import QueueWorker
from app.jobs.errors import describe
from app.jobs.protocol import TaskRegistry
from app.jobs.service.runner import Runner, where
from app.kit import clock
from app.kit.database import Database
from app.kit.logging import get_logger
from app.kit.settings import HousekeepingSettings, Settings

DRAIN_S = 5.0
"""Seconds running tasks get to finish when the worker is stopped."""

_TAKE_OVER_EVERY_S = 10.0

log = get_logger("jobs")


def register(registry: TaskRegistry, settings: HousekeepingSettings) -> None:
    """Add the jobs' own housekeeping: mend what the queue forgot, prune what is old."""

    async def repair(database: Database, tenant_id: UUID, now: datetime) -> None:
        async with database.transaction(tenant_id=tenant_id) as session:
            mended = await service.repair(session, tenant_id, now=now)
        if mended:
            log.warning("mended jobs that the queue forgot", tenant_id=str(tenant_id), jobs=mended)

    async def prune(database: Database, tenant_id: UUID, now: datetime) -> None:
        before = now - timedelta(days=settings.jobs_days)
        is_more = True
        while is_more:
            async with database.transaction(tenant_id=tenant_id) as session:
                is_more = await service.prune(session, tenant_id, before=before)

    registry.housekeeping("jobs.repair", repair)
    registry.housekeeping("jobs.prune", prune)


class JobWorker:
    """One worker of the service: tasks, take-over and housekeeping until told to stop."""

    def __init__(self, database: Database, registry: TaskRegistry, settings: Settings) -> None:
        self._database = database
        self._registry = registry
        self._settings = settings
        self._runner = Runner(database, registry, settings.jobs)
        self._queue: QueueWorker | None = None
        self._suspects: set[int] = set()

    async def run(self, stop: asyncio.Event, *, drain_s: float = DRAIN_S) -> None:
        """Work until ``stop`` is set; then let running tasks finish within the drain time."""
        every_s = min(_TAKE_OVER_EVERY_S, self._settings.jobs.stalled_s / 3)
        async with asyncio.TaskGroup() as group:
            upkeep = (
                group.create_task(_repeat(stop, every_s, self.take_over)),
                group.create_task(
                    _repeat(stop, self._settings.housekeeping.every_s, self.keep_house)
                ),
            )
            await self._work(stop, drain_s)
            for task in upkeep:
                task.cancel()

    async def drain(self) -> None:
        """Run what is due in the queue, and return when nothing is left to run now."""
        is_due = True
        while is_due:
            await self._open_queue(DRAIN_S, waits=False).run()
            async with self._database.transaction() as session:
                is_due = await service.is_due(session)

    async def _work(self, stop: asyncio.Event, drain_s: float) -> None:
        """Take tasks; start over when the database went away."""
        while not stop.is_set():
            queue = self._open_queue(drain_s, waits=True)
            running = asyncio.create_task(queue.run())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            queue.stop()
            stopping.cancel()
            try:
                await running
            except Exception as error:
                log.warning("the queue is out of reach", error=describe(error))
            await _sleep(stop, 1.0)

    def _open_queue(self, drain_s: float, *, waits: bool) -> QueueWorker:
        self._queue = QueueWorker(
            self._settings.required_database_url(),
            self._runner.run,
            self._settings.jobs,
            drain_s=drain_s,
            waits=waits,
        )
        return self._queue

    async def take_over(self) -> None:
        """Queue again what dead workers were running, and what this one lost hold of."""
        async with self._database.transaction() as session:
            orphans = await self._orphans(session)
            rescued = await service.rescue(
                session, stalled_s=self._settings.jobs.stalled_s, orphans=sorted(orphans)
            )
        if rescued:
            log.warning("took over tasks of a dead worker", tasks=rescued)

    async def _orphans(self, session: AsyncSession) -> set[int]:
        """Return what the queue twice in a row believed to run here and does not."""
        if self._queue is None or self._queue.worker_id is None:
            return set()
        held = await service.held_by(session, self._queue.worker_id)
        strangers = held - self._queue.running
        orphans, self._suspects = strangers & self._suspects, strangers
        return orphans

    async def keep_house(self) -> None:
        """Do the housekeeping of all rooms for all tenants, unless another worker is at it."""
        # The lock's transaction reads nothing meanwhile, so it holds back no vacuum.
        async with self._database.transaction() as session:
            if not await service.try_housekeeping(session):
                return
            async with self._database.transaction() as listing:
                tenants = await service.open_house(listing)
            for tenant_id in tenants:
                await self._keep_house_of(tenant_id)

    async def _keep_house_of(self, tenant_id: UUID) -> None:
        for name, chore in self._registry.chores.items():
            try:
                await chore(self._database, tenant_id, clock.now())
            except Exception as error:
                log.warning(
                    "housekeeping failed",
                    chore=name,
                    tenant_id=str(tenant_id),
                    error=describe(error),
                    where=where(error),
                )


async def _repeat(stop: asyncio.Event, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work now and then until told to stop; a failure waits for the next time.

    Deviation: not by the queue's own schedule. This is what mends the queue, so it must not stand
    in line there; and take-over is each worker's own business (docs/adr/0012).
    """
    while not stop.is_set():
        try:
            await work()
        except Exception as error:
            log.warning("the worker's upkeep failed", error=describe(error), where=where(error))
        await _sleep(stop, every_s)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but no longer than until told to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
