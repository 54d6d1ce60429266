"""The room's part in the worker."""

from datetime import datetime
from uuid import UUID

from app.forgetting import service
from app.jobs.protocol import TaskContext, TaskRegistry
from app.kit.database import Database
from app.memories.service import Derivations


def register(registry: TaskRegistry, derivations: Derivations) -> None:
    """Add the room's task and housekeeping."""

    async def run(context: TaskContext) -> None:
        await service.run(context, derivations)

    async def forget(database: Database, tenant_id: UUID, now: datetime) -> None:
        await service.keep_house(database, tenant_id, derivations, now=now)

    registry.task(service.TASK, run)
    registry.housekeeping("forgetting.forget", forget)
