"""Random sequences of everything that changes memories leave the tables consistent."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from app.embeddings.fake import FakeEmbedder
from tests.memories import invariants
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg

WORDS = ["cat", "dogs", "running", "Miso", "the", "2026", "naïve", "e-mail", "x.y/z", "日本", "!!"]


@dataclass
class Chaos:
    """Does random things to a store, and remembers which memories there are."""

    store: Store
    generator: random.Random
    live: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)

    async def step(self) -> None:
        actions: list[Callable[[], Awaitable[None]]] = [self._write] * 3
        if self.live:
            actions += [self._edit, self._edit, self._move, self._archive, self._erase]
        if self.archived:
            actions += [self._restore, self._erase_archived]
        actions += [self._embed, self._toggle_embedder]
        await self.generator.choice(actions)()

    def _words(self) -> str:
        long = self.generator.random() < 0.12
        number = self.generator.randint(150, 400) if long else self.generator.randint(1, 8)
        return " ".join(self.generator.choice(WORDS) for _ in range(number))

    def _item(self) -> Json:
        made: Json = {"content": self._words(), "occurred_at": at(self.generator.randint(0, 9_000))}
        if self.generator.random() < 0.8:
            made["session_id"] = self.generator.choice(["s1", "s2"])
        if self.generator.random() < 0.5:
            made["name"] = self.generator.choice(["Alice", "Bob"])
        return made

    def _take(self, held: list[str]) -> str:
        return held.pop(self.generator.randrange(len(held)))

    async def _write(self) -> None:
        items = [self._item() for _ in range(self.generator.randint(1, 4))]
        stored = await self.store.remember(*items)
        known = {*self.live, *self.archived}
        self.live += list(dict.fromkeys(one["id"] for one in stored if one["id"] not in known))

    async def _edit(self) -> None:
        await self.store.edit(self.generator.choice(self.live), content=self._words())

    async def _move(self) -> None:
        moment = at(self.generator.randint(0, 90_000))
        await self.store.edit(self.generator.choice(self.live), occurred_at=moment)

    async def _archive(self) -> None:
        memory_id = self._take(self.live)
        await self.store.archive(memory_id)
        self.archived.append(memory_id)

    async def _restore(self) -> None:
        memory_id = self._take(self.archived)
        await self.store.restore(memory_id)
        self.live.append(memory_id)

    async def _erase(self) -> None:
        await self.store.erase(self._take(self.live))

    async def _erase_archived(self) -> None:
        await self.store.erase(self._take(self.archived))

    async def _embed(self) -> None:
        if not self.store.embedder.failing and (self.live or self.archived):
            await self.store.run_task("memories.embed")

    async def _toggle_embedder(self) -> None:
        assert isinstance(self.store.embedder, FakeEmbedder)
        self.store.embedder.failing = not self.store.embedder.failing


@pytest.mark.parametrize("seed", range(3))
async def test_any_sequence_of_changes_leaves_the_tables_consistent(
    store: Store, seed: int
) -> None:
    chaos = Chaos(store, random.Random(seed))
    await chaos.step()
    while not chaos.live:
        await chaos.step()

    for _ in range(5):
        for _ in range(6):
            await chaos.step()
        await invariants.check(store)

    for memory_id in [*chaos.live, *chaos.archived]:
        await store.erase(memory_id)
    await invariants.check(store)
    for table in ("memories", "memory_keys", "postings", "episodes", "sessions", "memory_events"):
        assert await store.count(table) == 0


async def test_changes_of_one_owner_at_once_leave_the_tables_consistent(store: Store) -> None:
    generator = random.Random(9)
    stored = await store.remember(*[f"cat {n}" for n in range(12)], session_id="s")
    ids = [one["id"] for one in stored]

    async def change() -> int:
        path = f"/v1/memories/{generator.choice(ids)}"
        match generator.randrange(5):
            case 0:
                answer = await store.client.delete(path)
            case 1:
                answer = await store.client.post(f"{path}:archive")
            case 2:
                answer = await store.client.post(f"{path}:restore")
            case 3:
                changes = {"content": f"dog {generator.random()}"}
                answer = await store.send("PATCH", path, changes)
            case _:
                answer = await store.write(f"bird {generator.random()}", session_id="s")
        return answer.status_code

    statuses: set[int] = set()
    for _ in range(4):
        statuses |= set(await asyncio.gather(*(change() for _ in range(12))))

    assert statuses <= {200, 201, 204, 404, 409}
    await invariants.check(store)
