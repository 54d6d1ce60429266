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
from scripts.bench import corpus

BATCH = 100


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


def _mixtures(
    base: NDArray[np.float32], count: int, *, seed: int
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield two positions in ``base`` and the noisy mean of their vectors, unit length. [d]."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        first, second = rng.integers(len(base), size=2)
        mixed = (base[first] + base[second]) / 2
        mixed = mixed + rng.normal(0, 0.25 / np.sqrt(base.shape[1]), base.shape[1])
        yield int(first), int(second), (mixed / np.linalg.norm(mixed)).astype(np.float32)


def _batches(owners: Sequence[tuple[str, int]], seed: int) -> Iterator[tuple[str, int]]:
    """Yield (owner, memories) in an order that interleaves all owners."""
    rng = random.Random(seed)
    left = [
        (owner, min(BATCH, size - start))
        for owner, size in owners
        for start in range(0, size, BATCH)
    ]
    rng.shuffle(left)
    yield from left


async def fill(
    database: Database,
    embedder: Embedder,
    principal: Principal,
    owners: Sequence[tuple[str, int]],
    *,
    seed: int = 7,
) -> float:
    """Store ``owners`` (user id, memories) with mixed vectors; return seconds of the writes."""
    sentences = corpus.sentences(4_000, seed=seed)
    base = await embedder.embed(sentences)
    known = Precomputed(embedder.model)
    spaces = Spaces(database, {known.model: known}, primary=known.model)
    mixed = _mixtures(base, sum(size for _, size in owners), seed=seed)
    started, rng, spent = datetime(2025, 1, 1, tzinfo=UTC), random.Random(seed), 0.0
    for number, (owner, size) in enumerate(_batches(owners, seed)):
        items = []
        for position in range(size):
            first, second, vector = next(mixed)
            text = sentences[first]
            if rng.random() < 0.5:
                text += " " + sentences[second]
            speaker = rng.choice(corpus.PEOPLE)
            when = started + timedelta(minutes=7 * number, seconds=position)
            known.vectors[f"{speaker}: {text}"] = vector
            items.append(
                MemoryItem(
                    content=text,
                    name=speaker,
                    session_id=f"s{number}",
                    occurred_at=when,
                    metadata={"n": position},
                )
            )
        body = MemoriesCreate(user_id=owner, infer="none", items=items)
        clock = time.perf_counter()
        write = ingestion.read(principal, body, key=None, now=datetime.now(UTC))
        await ingestion.remember(database, spaces, write, budget_s=60)
        spent += time.perf_counter() - clock
        known.vectors.clear()
        await asyncio.sleep(0)
    return spent
