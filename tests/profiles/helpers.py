"""A user with a few topics, and days that are over."""

from datetime import datetime

from app.jobs.protocol import TaskRegistry
from app.kit.settings import ProfileSettings
from app.llm.protocol import LanguageModel
from app.profiles import tasks
from tests.memories.helpers import Json, Sent, Store, until_done

GARDEN = (
    "I planted tomatoes in the garden.",
    "The tomatoes in the garden need water.",
    "My garden has tomatoes and beans.",
    "I watered tomatoes in the garden again.",
    "The garden tomatoes are ripe.",
)
VIOLIN = (
    "I practise the violin every evening.",
    "My violin teacher praised my violin practice.",
    "The violin concert was wonderful.",
    "I bought strings for the violin.",
)


def said(day: str, content: str, hour: int = 9, **more: Sent) -> Json:
    """Return an item that Alice said on a day, at an hour UTC."""
    return {
        "content": content,
        "name": "Alice",
        "role": "user",
        "occurred_at": f"{day}T{hour:02}:00:00+00:00",
        **more,
    }


def topics() -> list[Json]:
    """Return what Alice said of her garden and of her violin, a day apart."""
    garden = [said(f"2026-03-0{i}", text) for i, text in enumerate(GARDEN, 1)]
    return garden + [said(f"2026-03-1{i}", text) for i, text in enumerate(VIOLIN, 1)]


async def run(
    store: Store,
    task: str,
    *,
    user_id: str = "alice",
    llm: LanguageModel | None = None,
    settings: ProfileSettings | None = None,
) -> None:
    """Run one of the room's tasks as a worker would, as often as it asks to be."""
    registry = TaskRegistry()
    tasks.register(registry, store.spaces, llm, settings or ProfileSettings())
    context = await store.task_context(user_id)
    await until_done(registry.tasks[task], context)


async def keep_house(store: Store, moment: datetime) -> None:
    """Do the room's housekeeping for the tenant."""
    registry = TaskRegistry()
    tasks.register(registry, store.spaces, None, ProfileSettings())
    await registry.chores["profiles.close_days"](store.database, store.tenant_id, moment)


async def enrich(store: Store, **how: Sent) -> None:
    """Summarise the days and renew the profile, as the chain behind a write does."""
    await run(store, "profiles.summarise", **how)
    await run(store, "profiles.refresh", **how)


async def profile(store: Store, user_id: str = "alice", **params: int) -> Json:
    return await store.get(f"/v1/users/{user_id}/profile", **params)


async def summaries(store: Store, user_id: str = "alice", **params: str | int) -> list[Json]:
    found: list[Json] = (await store.get(f"/v1/users/{user_id}/summaries", **params))["items"]
    return found


def texts(profile: Json) -> str:
    """Return a profile's shades by name, as one text."""
    return " | ".join(shade["name"] for shade in profile["shades"])
