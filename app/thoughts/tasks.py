"""The room's part in the worker."""

from app.jobs.protocol import TaskContext, TaskRegistry
from app.kit.settings import ThoughtSettings
from app.llm.protocol import LanguageModel
from app.memories.service import Spaces
from app.thoughts import service
from app.thoughts.service import Thinker


def register(
    registry: TaskRegistry, spaces: Spaces, llm: LanguageModel | None, settings: ThoughtSettings
) -> None:
    """Add the room's tasks."""
    thinker = Thinker(spaces, llm, settings)

    async def think(context: TaskContext) -> None:
        await service.think(context, thinker)

    async def organise(context: TaskContext) -> None:
        await service.organise(context, thinker)

    registry.task("thoughts.think", think)
    registry.task("thoughts.organise", organise)
