"""Turns whose vectors lie where a test wants them, and segments as a user sees them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.jobs.protocol import TaskRegistry
from app.kit.settings import SegmentationSettings
from app.segmentation import tasks
from tests.memories.helpers import Json, Sent, Store, at, until_done

TOPICS = (
    "garden tomatoes beans water soil spade",
    "violin orchestra concert music rehearsal bow",
    "train ticket station platform luggage timetable",
    "doctor knee hospital appointment nurse bandage",
)


def topical(topic: int, number: int) -> str:
    """Return a turn about a topic; no two are the same."""
    words = TOPICS[topic].split()
    return " ".join(words[(number + step) % len(words)] for step in range(5)) + f" {number}."


def chat(*topics: int, turns: int = 12, start: float = 0, **more: Sent) -> list[Json]:
    """Return one session of turns, some about each topic in turn, a minute apart."""
    return [
        {
            "content": topical(topic, number),
            "name": "Alice",
            "session_id": "s",
            "occurred_at": at(start + turns * place + number),
            **more,
        }
        for place, topic in enumerate(topics)
        for number in range(turns)
    ]


async def segmented(store: Store, user_id: str = "alice", **settings: Sent) -> None:
    """Run the room's task for a user; ``settings`` are those of the room."""
    registry = TaskRegistry()
    tasks.register(registry, store.spaces, SegmentationSettings(**settings))
    context = await store.task_context(user_id)
    await until_done(registry.tasks["segmentation.segment"], context)


async def segments(store: Store, user_id: str = "alice", **params: str | int) -> list[Json]:
    """Return a user's segments, oldest first."""
    found: list[Json] = (await store.get(f"/v1/users/{user_id}/segments", limit=200, **params))[
        "items"
    ]
    return found[::-1]


async def rows(store: Store, user_id: str = "alice") -> list[Json]:
    """Return the rows of a user's segments, oldest first."""
    scope = await store.scope(user_id)
    found = await store.rows(
        "SELECT to_jsonb(s) FROM segments s WHERE owner_id = :owner_id ORDER BY first_ordinal",
        owner_id=scope.owner_id,
    )
    return [row[0] for row in found]


def around(centres: Sequence[int], *, noise: float = 0.05, seed: int = 0) -> NDArray[np.float32]:
    """Return unit vectors, each near the axis that its number names. Shape [n, 16]."""
    generator = np.random.default_rng(seed)
    made = np.eye(16)[list(centres)] + noise * generator.standard_normal((len(centres), 16))
    scaled: NDArray[np.float32] = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(
        np.float32
    )
    return scaled
