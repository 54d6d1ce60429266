"""Memories of an owner that a suite makes and erases again."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from app.evaluation.protocol import Api, Json

_BATCH = 100


@asynccontextmanager
async def temporary_user(api: Api) -> AsyncGenerator[str]:
    """Yield the id of a user that nobody had before; it is erased afterwards."""
    user = f"evaluation-{uuid4()}"
    await api.call("PUT", f"/v1/users/{user}/settings", {})  # else an empty one could not be erased
    try:
        yield user
    finally:
        await api.call("DELETE", f"/v1/users/{user}")


async def store(api: Api, user: str, items: Sequence[Json]) -> list[str]:
    """Store items verbatim, with nothing derived from them; return their ids in order."""
    ids: list[str] = []
    for start in range(0, len(items), _BATCH):
        body = {"user_id": user, "infer": "none", "items": items[start : start + _BATCH]}
        answer = await api.call("POST", "/v1/memories", body)
        ids += [item["id"] for item in answer["items"]]
    return ids
