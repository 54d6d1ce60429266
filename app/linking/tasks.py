"""The room's part in the worker."""

from app.jobs.protocol import TaskContext, TaskRegistry
from app.kit.settings import LinkingSettings
from app.linking import service
from app.llm.protocol import LanguageModel
from app.memories import service as memories
from app.memories.service import Batch, Spaces
from app.tenants.policies import Mechanisms

_BATCH = 64
_ASKED_BATCH = 1
"""What a language model has answered is stored before it is asked for more."""


def _is_on(mechanisms: Mechanisms) -> bool:
    return mechanisms.linking


def register(
    registry: TaskRegistry, spaces: Spaces, llm: LanguageModel | None, settings: LinkingSettings
) -> None:
    """Add the room's tasks."""
    tools = service.Tools(spaces, llm, settings)

    async def note(batch: Batch) -> None:
        await service.note(batch, tools)

    async def link(batch: Batch) -> None:
        if llm is None:
            await service.link(batch, tools)
        else:
            await service.evolve(batch, tools, llm)

    async def note_task(context: TaskContext) -> None:
        size = _BATCH if llm is None else _ASKED_BATCH
        await memories.enrich(
            context, "linking.note", note, is_on=_is_on, batch=size, outdated=service.outdated
        )
        await service.embed_waiting(context, tools)

    async def link_task(context: TaskContext) -> None:
        size = _BATCH if llm is None else _ASKED_BATCH
        await memories.enrich(context, "linking.link", link, is_on=_is_on, batch=size)

    registry.task("linking.note", note_task)
    registry.task("linking.link", link_task)
