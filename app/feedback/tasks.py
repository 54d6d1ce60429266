"""The room's part in the worker."""

from datetime import datetime, timedelta
from uuid import UUID

from app.feedback import service
from app.jobs.protocol import TaskRegistry
from app.kit.database import Database
from app.kit.settings import HousekeepingSettings


def register(registry: TaskRegistry, settings: HousekeepingSettings) -> None:
    """Add the room's housekeeping."""

    async def prune(database: Database, tenant_id: UUID, now: datetime) -> None:
        before = now - timedelta(hours=settings.recall_hours)
        async with database.transaction(tenant_id=tenant_id) as session:
            await service.forget_recalls(session, tenant_id, before=before)

    registry.housekeeping("feedback.forget_recalls", prune)
