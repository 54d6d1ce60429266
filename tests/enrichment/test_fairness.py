"""One busy owner does not keep the others waiting, in the real queue.

In full size: ``FAIRNESS=5000,50,20 scripts/test tests/enrichment/test_fairness.py``.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from app.ingestion.service import ENRICHMENT_TASKS
from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.tasks import JobWorker
from app.kit.settings import JobSettings
from app.memories.service import enriching
from tests.enrichment.helpers import registry
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg

BUSY = "busy"
_WORDS = (
    "violin",
    "tomatoes",
    "garden",
    "tea",
    "sister",
    "train",
    "letter",
    "window",
    "music",
    "sea",
)


@dataclass
class Turns:
    """Which owner's turn ended when, in order."""

    ended: list[int] = field(default_factory=list)

    def noting(self, plain: TaskRegistry) -> TaskRegistry:
        """Return the same tasks, that note when they end."""
        made = TaskRegistry()
        for name, run in plain.tasks.items():
            made.task(name, self._noting(run))
        return made

    def _noting(
        self, run: Callable[[TaskContext], Awaitable[None]]
    ) -> Callable[[TaskContext], Awaitable[None]]:
        async def noting(context: TaskContext) -> None:
            try:
                await run(context)
            finally:
                self.ended.append(context.required_owner_id())

        return noting


def _said(count: int) -> list[Json]:
    return [
        {
            "content": f"I like the {_WORDS[n % 10]} and the {_WORDS[n // 10 % 10]}, says {n}.",
            "occurred_at": at(n),
            "session_id": f"s{n // 50}",
        }
        for n in range(count)
    ]


async def _write(store: Store, user: str, count: int) -> None:
    said = _said(count)
    for start in range(0, count, 500):
        await store.remember(*said[start : start + 500], user_id=user)


async def test_small_owners_are_done_long_before_a_busy_one(
    fresh: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, owners, each = map(int, os.environ.get("FAIRNESS", "1000,20,10").split(","))
    monkeypatch.setattr(enriching, "MOST", busy // 10)
    await _write(fresh, BUSY, busy)
    small = [f"small{number}" for number in range(owners)]
    for user in small:
        await _write(fresh, user, each)
    turns = Turns()
    settings = fresh.settings.model_copy(update={"jobs": JobSettings(concurrency=2)})

    await JobWorker(fresh.database, turns.noting(registry(fresh)), settings).drain()

    busy_owner = (await fresh.scope(BUSY)).owner_id
    others = {(await fresh.scope(user)).owner_id for user in small}
    assert {*turns.ended} == {busy_owner, *others}
    last = max(place for place, owner in enumerate(turns.ended) if owner in others)
    mine = turns.ended.count(busy_owner)
    before = turns.ended[:last].count(busy_owner)
    assert mine >= 10 + len(ENRICHMENT_TASKS) - 1, "it never stood in line again"
    assert before <= mine / 2, "small owners waited for the busy one"
    unfinished = await fresh.rows("SELECT count(*) FROM jobs WHERE status <> 'succeeded'")
    assert unfinished == [(0,)]
