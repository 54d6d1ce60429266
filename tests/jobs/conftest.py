"""An owner to queue jobs for, and workers to run them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.jobs import service
from app.jobs.protocol import Task, TaskContext, TaskRegistry
from app.jobs.schemas import JobRead, OwnerName
from app.jobs.tasks import JobWorker
from app.kit.clock import now
from app.kit.database import Database
from app.kit.ids import new_id
from app.kit.settings import JobSettings, Settings


@dataclass(frozen=True)
class Name:
    """A user or an agent as callers name it."""

    kind: Literal["user", "agent"]
    external_id: str


@dataclass(frozen=True)
class FakeCaller:
    """The holder of a key."""

    tenant_id: UUID
    bound: OwnerName | None = None


@dataclass(frozen=True)
class Owner:
    """A tenant's user or agent, whose jobs are queued."""

    database: Database
    tenant_id: UUID
    owner_id: int
    name: str

    @property
    def caller(self) -> FakeCaller:
        return FakeCaller(self.tenant_id)

    async def enqueue(self, session: AsyncSession, *tasks: str, kind: str = "enrich") -> UUID:
        return await service.enqueue(
            session,
            tenant_id=self.tenant_id,
            owner_id=self.owner_id,
            kind=kind,
            tasks=tasks,
            now=now(),
        )

    async def queue(self, *tasks: str, kind: str = "enrich") -> UUID:
        """Queue a job in a transaction of its own."""
        async with self.database.transaction(tenant_id=self.tenant_id) as session:
            return await self.enqueue(session, *tasks, kind=kind)

    async def read(self, job_id: UUID) -> JobRead:
        async with self.database.transaction(tenant_id=self.tenant_id) as session:
            return await service.find(session, self.caller, job_id)

    async def cancel(self, job_id: UUID) -> JobRead:
        async with self.database.transaction(tenant_id=self.tenant_id) as session:
            return await service.cancel(session, self.caller, job_id, now=now())

    async def retry(self, job_id: UUID) -> JobRead:
        async with self.database.transaction(tenant_id=self.tenant_id) as session:
            return await service.retry(session, self.caller, job_id, now=now())

    async def finished(self, job_id: UUID, within_s: float = 20) -> JobRead:
        """Wait until the job is finished; return it."""

        async def is_finished() -> bool:
            return (await self.read(job_id)).finished_at is not None

        await until(is_finished, within_s)
        return await self.read(job_id)


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        await asyncio.sleep(0.02)


@dataclass(frozen=True)
class World:
    """A database in which owners are made."""

    database: Database
    engine: AsyncEngine

    async def owner(self, name: str, *, tenant_id: UUID | None = None, kind: str = "user") -> Owner:
        """Make a user or agent, in a tenant of its own unless one is named."""
        async with self.engine.begin() as connection:
            if tenant_id is None:
                tenant_id = new_id()
                await connection.execute(
                    sa.text(
                        "INSERT INTO tenants (tenant_id, name, created_at) "
                        "VALUES (:id, 'a tenant', now())"
                    ),
                    {"id": tenant_id},
                )
            owner_id = await connection.scalar(
                sa.text(
                    "INSERT INTO owners (tenant_id, kind, external_id, created_at) "
                    "VALUES (:tenant_id, :kind, :name, now()) RETURNING owner_id"
                ),
                {"tenant_id": tenant_id, "kind": kind, "name": name},
            )
        assert owner_id is not None
        return Owner(self.database, tenant_id, owner_id, name)

    async def all(self, statement: str) -> Sequence[sa.Row[*tuple[object, ...]]]:
        """Return the rows of a statement, whoever they belong to."""
        async with self.engine.begin() as connection:
            return (await connection.execute(sa.text(statement))).all()

    async def do(self, statement: str) -> None:
        """Execute a statement as the owner of the tables."""
        async with self.engine.begin() as connection:
            await connection.execute(sa.text(statement))


@pytest.fixture
async def world(database: Database, owner_engine: AsyncEngine) -> World:
    """The test's database."""
    return World(database, owner_engine)


@pytest.fixture
async def owner(world: World) -> Owner:
    """One user of a fresh tenant."""
    return await world.owner("ana")


@pytest.fixture
def worker_settings(settings: Settings) -> Settings:
    """Settings of a worker in a hurry."""
    jobs = JobSettings(concurrency=4, max_attempts=3, backoff_s=0.05, stalled_s=2)
    return settings.model_copy(update={"jobs": jobs})


@pytest.fixture
def registry() -> TaskRegistry:
    """The tasks of this test."""
    return TaskRegistry()


@pytest.fixture
def worker(database: Database, registry: TaskRegistry, worker_settings: Settings) -> JobWorker:
    """A worker that knows the test's tasks."""
    return JobWorker(database, registry, worker_settings)


@asynccontextmanager
async def running(*workers: JobWorker, drain_s: float = 5.0) -> AsyncGenerator[None]:
    """Let workers work."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run(stop, drain_s=drain_s))
        try:
            yield
        finally:
            stop.set()


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

    def _noting(self, name: str) -> Task:
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
