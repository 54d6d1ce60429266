"""The room's part in the worker."""

from app.jobs.protocol import TaskContext, TaskRegistry
from app.kit.settings import ProfileSettings
from app.llm.protocol import LanguageModel
from app.memories.service import Spaces
from app.profiles import service
from app.profiles.service import Workshop


def register(
    registry: TaskRegistry, spaces: Spaces, llm: LanguageModel | None, settings: ProfileSettings
) -> None:
    """Add the room's tasks and housekeeping."""
    shop = Workshop(spaces, llm, settings)

    async def summarise(context: TaskContext) -> None:
        await service.summarise(context, shop)

    async def refresh(context: TaskContext) -> None:
        await service.refresh(context, shop)

    registry.task("profiles.summarise", summarise)
    registry.task("profiles.refresh", refresh)
    registry.housekeeping("profiles.close_days", service.close_days)
