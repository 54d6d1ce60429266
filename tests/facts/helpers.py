"""A user who says things, and the facts of what was said."""

from app.facts import tasks
from app.jobs.protocol import TaskRegistry
from app.llm.protocol import LanguageModel
from tests.memories.helpers import Json, Sent, Store, until_done


async def run(
    store: Store, task: str, *, user_id: str = "alice", llm: LanguageModel | None = None
) -> None:
    """Run one of the room's tasks as a worker would, as often as it asks to be."""
    registry = TaskRegistry()
    tasks.register(registry, store.spaces, llm)
    context = await store.task_context(user_id)
    await until_done(registry.tasks[task], context)


async def extract(
    store: Store, *, user_id: str = "alice", llm: LanguageModel | None = None
) -> None:
    await run(store, "facts.extract", user_id=user_id, llm=llm)


def said(day: str, content: str, **more: Sent) -> Json:
    """Return an item that Alice said on a day."""
    return {"content": content, "name": "Alice", "occurred_at": f"{day}T09:00:00Z", **more}


async def listed(store: Store, user_id: str = "alice", **params: str) -> list[Json]:
    found: list[Json] = (await store.get("/v1/facts", user_id=user_id, **params))["items"]
    return found


async def objects(store: Store, **params: str) -> list[str]:
    """Return the objects of the facts that fit."""
    return [one["object"] for one in await listed(store, **params)]


async def held(store: Store, day: str, **params: str) -> list[str]:
    """Return the objects that held on a day."""
    return await objects(store, as_of=f"{day}T00:00:00Z", **params)
