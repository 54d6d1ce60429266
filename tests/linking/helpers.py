"""Organising a user's memories as the worker would, and a look at what came of it."""

from typing import Any

from app.jobs.protocol import TaskRegistry
from app.kit.settings import LinkingSettings
from app.linking import tasks
from app.llm.protocol import LanguageModel
from tests.memories.helpers import Json, Sent, Store

TASKS = ("linking.note", "linking.link")
TABLES = ("notes", "note_links", "note_evolutions")

CATS = (
    "Miso the grey cat sleeps in the kitchen",
    "Miso the grey cat eats in the kitchen",
    "Miso the grey cat plays in the kitchen",
)
TAX = "The tax office wants seventeen signed forms by courier"


async def organise(
    store: Store,
    *,
    llm: LanguageModel | None = None,
    user_id: str = "alice",
    only: tuple[str, ...] = TASKS,
    **settings: Sent,
) -> None:
    """Run the room's tasks for a user; ``settings`` are those of the room."""
    registry = TaskRegistry()
    tasks.register(registry, store.spaces, llm, LinkingSettings(**settings))
    context = await store.task_context(user_id)
    for name in only:
        await registry.tasks[name](context)


async def remembered(store: Store, *said: str | Json, **more: Sent) -> list[str]:
    """Store items and organise them, without a model; return their ids."""
    ids = [one["id"] for one in await store.remember(*said, **more)]
    await organise(store, user_id=more.get("user_id", "alice"))
    return ids


async def links(store: Store, memory_id: str, depth: int = 1) -> set[frozenset[str]]:
    """Return the links around a memory as pairs of ids."""
    graph = await store.get(f"/v1/memories/{memory_id}/links", depth=depth)
    return {frozenset((one["source"], one["target"])) for one in graph["links"]}


async def note(store: Store, memory_id: str) -> Json:
    return await store.get(f"/v1/memories/{memory_id}/note")


async def evolutions(store: Store, memory_id: str) -> list[Json]:
    found: list[Json] = (await store.get(f"/v1/memories/{memory_id}/evolutions"))["items"]
    return found


async def contents(store: Store, user_id: str = "alice") -> list[list[tuple[Any, ...]]]:
    """Return all rows of the room's tables that belong to a user."""
    scope = await store.scope(user_id)
    return [
        sorted(
            await store.rows(
                f"SELECT t::text FROM {table} t WHERE owner_id = :owner_id",
                owner_id=scope.owner_id,
            )
        )
        for table in TABLES
    ]
