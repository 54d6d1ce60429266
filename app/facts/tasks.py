"""The room's part in the worker."""

from app.facts import service
from app.jobs.protocol import TaskContext, TaskRegistry
from app.llm.protocol import LanguageModel


def register(registry: TaskRegistry, llm: LanguageModel | None) -> None:
    """Add the room's tasks."""

    async def extract(context: TaskContext) -> None:
        await service.extract(context, llm)

    registry.task("facts.extract", extract)
