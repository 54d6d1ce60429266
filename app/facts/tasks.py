"""The room's part in the worker."""

from app.facts import service
from app.jobs.protocol import TaskContext, TaskRegistry
from app.llm.protocol import LanguageModel
from app.memories.service import Spaces


def register(registry: TaskRegistry, spaces: Spaces, llm: LanguageModel | None) -> None:
    """Add the room's tasks."""

    async def extract(context: TaskContext) -> None:
        await service.extract(context, llm)

    async def compare(context: TaskContext) -> None:
        await service.compare(context, spaces)

    registry.task("facts.extract", extract)
    registry.task("facts.compare", compare)
