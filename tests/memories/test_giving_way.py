"""What the worker takes for users at work: requests about memories, not polls of jobs."""

import asyncio

import pytest

from tests.memories.helpers import Store

pytestmark = pytest.mark.pg


async def _quiet_seconds(store: Store) -> float:
    [(seconds,)] = await store.rows("SELECT quiet_seconds()")
    return float(seconds)


async def test_who_only_asks_after_jobs_keeps_nobody_waiting(store: Store) -> None:
    await store.remember("I play the violin.")
    before = await _quiet_seconds(store)

    for _ in range(3):
        await asyncio.sleep(0.1)
        await store.get("/v1/jobs")

    assert await _quiet_seconds(store) >= before + 0.3


@pytest.mark.parametrize("act", ["recall", "write"])
async def test_who_recalls_or_writes_is_at_work(store: Store, act: str) -> None:
    await store.remember("I play the violin.")
    await asyncio.sleep(1)
    idle = await _quiet_seconds(store)

    await (store.recall("Which instrument?") if act == "recall" else store.remember("And more."))

    assert await _quiet_seconds(store) < idle
