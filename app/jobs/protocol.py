"""What a room hands to the worker: its tasks and its housekeeping."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from app.jobs.errors import TaskError
from app.kit.database import Database


async def _ignore(_: float) -> None:
    """Report to nobody."""


async def _never() -> bool:
    """Say that nobody cancelled."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What a task knows of the job it runs for."""

    database: Database
    tenant_id: UUID
    owner_id: int | None
    job_id: UUID
    attempt: int = 1
    """1 for the first attempt."""
    waited_s: float = 0.0
    """Seconds for which what the task needs has been away, if it was away the last time."""
    reporter: Callable[[float], Awaitable[None]] = _ignore
    cancel_check: Callable[[], Awaitable[bool]] = _never

    def required_owner_id(self) -> int:
        """Return the owner the job is for; a job of a whole tenant has none."""
        if self.owner_id is None:
            msg = "This task needs an owner."
            raise TaskError(msg)
        return self.owner_id

    async def report(self, progress: float) -> None:
        """Tell users how far this task is, in [0, 1]; cheap to call often."""
        await self.reporter(progress)

    async def is_cancelled(self) -> bool:
        """Say whether a user asked to cancel the job; then end soon, in any way."""
        return await self.cancel_check()


Task = Callable[[TaskContext], Awaitable[None]]
"""One step of a job. Idempotent: it runs again after a crash, in whatever state that left."""

Housekeeping = Callable[[Database, UUID, datetime], Awaitable[None]]
"""Cleans up after one tenant, in short transactions: ``(database, tenant_id, now)``."""


class TaskRegistry:
    """All tasks and housekeeping of a worker, by name; filled once at its start."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._housekeeping: dict[str, Housekeeping] = {}

    @property
    def tasks(self) -> Mapping[str, Task]:
        """Every task by its name, ``room.verb``."""
        return MappingProxyType(self._tasks)

    @property
    def chores(self) -> Mapping[str, Housekeeping]:
        """All housekeeping by its name, in the order of registration."""
        return MappingProxyType(self._housekeeping)

    def task(self, name: str, run: Task) -> None:
        """Add a task under the name that jobs ask for it by."""
        if name in self._tasks:
            msg = f"two tasks named {name}"
            raise ValueError(msg)
        self._tasks[name] = run

    def housekeeping(self, name: str, run: Housekeeping) -> None:
        """Add work to be done for every tenant now and then."""
        if name in self._housekeeping:
            msg = f"two kinds of housekeeping named {name}"
            raise ValueError(msg)
        self._housekeeping[name] = run
