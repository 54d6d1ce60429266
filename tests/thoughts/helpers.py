"""A user who says things, and what is thought of them."""

from typing import Any

from app.jobs.protocol import TaskRegistry
from app.kit.settings import ThoughtSettings
from app.llm.protocol import LanguageModel
from app.tenants.schemas import Scope
from app.thoughts import tasks
from tests.memories.helpers import Json, Sent, Store, at, until_done

TWO_BUCKETS = ThoughtSettings(buckets=2)
"""So few that short statements of one head and relation lie in the same."""


async def run(
    store: Store,
    task: str,
    *,
    user_id: str = "alice",
    llm: LanguageModel | None = None,
    settings: ThoughtSettings = TWO_BUCKETS,
    scope: Scope | None = None,
) -> None:
    """Run one of the room's tasks as a worker would, as often as it asks to be."""
    registry = TaskRegistry()
    tasks.register(registry, store.spaces, llm, settings)
    context = await store.task_context(user_id, scope=scope)
    await until_done(registry.tasks[task], context)


async def enrich(
    store: Store,
    *,
    user_id: str = "alice",
    llm: LanguageModel | None = None,
    settings: ThoughtSettings = TWO_BUCKETS,
) -> None:
    """Think of what was said, and bring order into the buckets."""
    for task in ("thoughts.think", "thoughts.organise"):
        await run(store, task, user_id=user_id, llm=llm, settings=settings)


def said(minute: float, content: str, **more: Sent) -> Json:
    """Return an item that Alice said."""
    return {"content": content, "name": "Alice", "occurred_at": at(minute), **more}


async def listed(store: Store, user_id: str = "alice", **params: str) -> list[Json]:
    """Return a user's thoughts, newest first."""
    found: list[Json] = (await store.get(f"/v1/users/{user_id}/thoughts", **params))["items"]
    return found


async def texts(store: Store, **params: str) -> set[str]:
    return {one["text"] for one in await listed(store, **params)}


async def thought_of(
    store: Store, query: str, *, user_id: str | None = "alice", **more: Sent
) -> Json:
    body = {"query": query, "user_id": user_id, **more}
    answer = await store.send("POST", "/v1/thoughts:recall", body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def table(store: Store, columns: str = "*", user_id: str = "alice") -> list[tuple[Any, ...]]:
    """Return the user's rows of ``thoughts``."""
    scope = await store.scope(user_id)
    return await store.rows(
        f"SELECT {columns} FROM thoughts WHERE owner_id = :owner_id ORDER BY memory_ordinal",
        owner_id=scope.owner_id,
    )
