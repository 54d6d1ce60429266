"""What must hold over HTTP once all is settled."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx

from tests.crash.installation import Installation
from tests.crash.stream import Kept

_AT_ONCE = 4
_LISTED = 5


async def settle(
    installation: Installation, http: httpx.AsyncClient, *, within_s: float
) -> str | None:
    """Wait until all jobs are finished and every part is well; return what never was."""
    deadline = time.monotonic() + within_s
    while missing := await _unsettled(installation, http):
        if time.monotonic() > deadline:
            return f"after {within_s:.0f} s {missing}"
        await asyncio.sleep(0.2)
    return None


async def _unsettled(installation: Installation, http: httpx.AsyncClient) -> str:
    if installation.process.poll() is not None:
        return f"the supervisor has ended: {installation.said[-500:]}"
    try:
        ready = (await http.get("/healthz/ready")).json()
    except httpx.TransportError as error:
        return f"the api does not answer: {type(error).__name__}"
    if set(ready.get("parts", {"nothing": "away"}).values()) != {"ok"}:
        return f"not every part is well: {ready}"
    waiting = installation.count("SELECT count(*) FROM jobs WHERE finished_at IS NULL")
    queued = installation.count("SELECT count(*) FROM procrastinate_jobs")
    return f"{waiting} jobs wait, {queued} tasks in the queue" if waiting or queued else ""


async def complaints(http: httpx.AsyncClient, kept: Sequence[Kept]) -> list[str]:
    """Return what is wrong with the acknowledged memories, as a client sees them."""
    listed = [one for user in sorted({k.user for k in kept}) for one in await _list(http, user)]
    found = [*_wrong(kept, listed), *await _not_recalled(http, kept)]
    for status in ("queued", "running", "failed", "cancelled"):
        answer = await http.get("/v1/jobs", params={"status": status, "limit": 3})
        found += [f"a job is {status}: {job}" for job in answer.json()["items"]]
    return found


def _wrong(kept: Sequence[Kept], listed: Sequence[dict[str, Any]]) -> list[str]:
    copies = Counter(one["content"] for one in listed)
    by_id = {one["id"]: one for one in listed}
    found = []
    for one in kept:
        shown = by_id.get(one.id)
        if shown is None:
            found.append(f"{one.client_id} was acknowledged and is gone")
        elif (shown["content"], shown["session_id"]) != (one.content, one.session):
            found.append(f"{one.client_id} is not as it was sent")
        elif shown["embedding"] != "ready":
            found.append(f"{one.client_id} has no vector: embedding {shown['embedding']}")
        elif copies[one.content] != 1:
            found.append(f"{one.client_id} is there {copies[one.content]} times")
    return found[:_LISTED]


async def _list(http: httpx.AsyncClient, user: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        asked = {"user_id": user, "limit": "200", "state": "all"}
        more = {} if cursor is None else {"cursor": cursor}
        page = await http.get("/v1/memories", params=asked | more)
        page.raise_for_status()
        found += page.json()["items"]
        cursor = page.json().get("next_cursor")
        if cursor is None:
            return found


async def _not_recalled(http: httpx.AsyncClient, kept: Sequence[Kept]) -> list[str]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def is_found(one: Kept) -> bool:
        asked = {"query": one.word, "user_id": one.user, "limit": 5, "recipe": "lexical"}
        async with gate:
            answer = await http.post("/v1/recall", json=asked)
        return one.id in {hit["id"] for hit in answer.raise_for_status().json()["hits"]}

    found = await asyncio.gather(*(is_found(one) for one in kept))
    lost = [one.client_id for one, is_there in zip(kept, found, strict=True) if not is_there]
    return [f"{name} is not recalled by its word" for name in lost[:_LISTED]]
