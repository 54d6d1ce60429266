"""The room's part in the worker."""

from datetime import datetime, timedelta
from uuid import UUID

from app.jobs.protocol import TaskRegistry
from app.kit.database import Database
from app.kit.settings import HousekeepingSettings
from app.llm import service


def register(registry: TaskRegistry, settings: HousekeepingSettings) -> None:
    """Add the room's housekeeping."""

    async def prune(database: Database, tenant_id: UUID, now: datetime) -> None:
        before = (now - timedelta(days=settings.usage_days)).date()
        await service.prune(database, tenant_id, before=before)

    registry.housekeeping("llm.prune", prune)
