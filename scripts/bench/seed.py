"""Fill a database through the service's own write path, with vectors made beforehand.

Vectors are mixtures of real ones: the mean of two sentences' vectors plus noise.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from app.embeddings.kernel import TextWindows
from app.embeddings.protocol import Embedder
from app.ingestion import service as ingestion
from app.ingestion.schemas import MemoriesCreate, MemoryItem
from app.kit.database import Database
from app.memories.service import Spaces
from app.tenants.schemas import Principal
from scripts.bench import topical
from scripts.bench.topical import Library, Turn

BATCH = 100
NOISE = 0.25
"""Length of the noise that is added to a mixture of two unit vectors."""
_FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)


class Precomputed:
    """An embedder that knows its vectors already."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.vectors: dict[str, NDArray[np.float32]] = {}

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors handed in before."""
        return np.stack([self.vectors[text] for text in texts])

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return one vector handed in before."""
        return self.vectors[text]

    async def windows(self, texts: Sequence[str]) -> list[TextWindows]:
        """Take every text for one window."""
        return [TextWindows(len(text) // 4, ((0, len(text)),)) for text in texts]

    async def aclose(self) -> None:
        """Hold nothing."""


class Filler:
    """Writes batches of made turns for many users, as many at a time as there are connections."""

    def __init__(
        self, database: Database, principal: Principal, library: Library, base: NDArray[np.float32],
        *, model: str, seed: int = 7,
    ) -> None:  # fmt: skip
        self.spent_s = 0.0
        self._database, self._principal, self._library = database, principal, library
        self._base, self._seed, self._written = base, seed, 0
        self._known = Precomputed(model)
        self._spaces = Spaces(database, {model: self._known}, primary=model)
        self._random = np.random.default_rng(seed)

    async def fill(self, owners: Sequence[tuple[str, int]], *, writers: int = 1) -> float:
        """Store so many memories for each user; return seconds that the writes took, summed."""
        turns = {
            owner: self._library.turns(number, seed=self._seed)
            for number, (owner, _) in enumerate(owners)
        }
        batches = _batches(owners, self._seed)

        async def write() -> None:
            for owner, size in batches:
                await self.write(owner, [next(turns[owner]) for _ in range(size)])

        async with asyncio.TaskGroup() as group:
            for _ in range(writers):
                group.create_task(write())
        return self.spent_s

    async def write(self, owner: str, turns: Sequence[Turn]) -> None:
        """Store turns of one user in one request."""
        self._written += 1
        items = [self._item(turn, position) for position, turn in enumerate(turns)]
        said = [f"{turn.speaker}: {turn.text}" for turn in turns]
        self._known.vectors |= dict(zip(said, self._mixed(turns), strict=True))
        body = MemoriesCreate(user_id=owner, infer="none", items=items)
        started = time.perf_counter()
        write = ingestion.read(self._principal, body, key=None, now=datetime.now(UTC))
        await ingestion.remember(self._database, self._spaces, write, budget_s=60)
        self.spent_s += time.perf_counter() - started
        for text in said:
            self._known.vectors.pop(text, None)

    def _item(self, turn: Turn, position: int) -> MemoryItem:
        when = _FIRST_DAY + timedelta(minutes=7 * self._written, seconds=position)
        return MemoryItem(
            content=turn.text,
            name=turn.speaker,
            session_id=f"s{self._written}-{position // topical.SESSION}",
            occurred_at=when,
            metadata={"n": position},
        )

    def _mixed(self, turns: Sequence[Turn]) -> NDArray[np.float32]:
        """Return the noisy means of the turns' sentences, unit length. Shape [n, d]."""
        mixed = self._base[[turn.units for turn in turns]].mean(axis=1)
        mixed += self._random.normal(0, NOISE / np.sqrt(mixed.shape[1]), mixed.shape)
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
        return mixed.astype(np.float32)


def _batches(owners: Sequence[tuple[str, int]], seed: int) -> Iterator[tuple[str, int]]:
    """Yield (owner, memories) in an order that interleaves all owners."""
    left = [
        (owner, min(BATCH, size - start))
        for owner, size in owners
        for start in range(0, size, BATCH)
    ]
    random.Random(seed).shuffle(left)
    yield from left


async def fill(
    database: Database,
    embedder: Embedder,
    principal: Principal,
    owners: Sequence[tuple[str, int]],
    *,
    seed: int = 7,
) -> float:
    """Store ``owners`` (user id, memories) of made-up talk; return seconds of the writes."""
    library = topical.made_up()
    base = await embedder.embed(library.units)
    filler = Filler(database, principal, library, base, model=embedder.model, seed=seed)
    return await filler.fill(owners)
