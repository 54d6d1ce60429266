"""What notes and links cost per memory, at growing sizes of one owner's store.

    python -m scripts.bench.linking_cost [--sizes 1000,10000,100000] [--record]

Runs the tasks ``linking.note`` and ``linking.link`` without a language model in a throw-away
embedded server. Vectors are mixtures of real ones that cost nothing to make, so the figures are
those of the mechanism itself. At each size the last 2,048 memories are timed (at 1,000: all).
"""

import argparse
import asyncio
import json
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from app.embeddings.client import HttpEmbedder
from app.embeddings.kernel import TextWindows
from app.ingestion import service as ingestion
from app.ingestion.schemas import MemoriesCreate, MemoryItem
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext, TaskRegistry
from app.kit import clock
from app.kit.database import Database
from app.kit.settings import DatabaseSettings, EmbeddingSettings, LinkingSettings
from app.launcher import migrations
from app.launcher.embedded import EmbeddedPostgres
from app.linking import tasks
from app.memories.service import Spaces
from app.tenants.schemas import Principal
from scripts.bench import corpus, evidence
from scripts.bench.postgres import measured_postgres
from scripts.bench.sidecar import running_sidecar

TENANT = UUID(int=1)
OWNER = "owner"
LAST = 2_048
TARGET_PER_S = 200

_ADD_TENANT = sa.text("""
    INSERT INTO tenants (tenant_id, name, created_at) VALUES (:tenant_id, 'bench', now())
""")
_OWNER_ID = sa.text("SELECT owner_id FROM owners WHERE external_id = :name")


class Mixtures:
    """An embedder that mixes two of a few real vectors, chosen by the text; takes no time."""

    def __init__(self, model: str, base: NDArray[np.float32]) -> None:
        self.model = model
        self._base = base

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a unit vector per text. Shape [n, d]."""
        seeds = np.array([zlib.crc32(text.encode()) for text in texts], np.int64)
        count = len(self._base)
        mixed = self._base[seeds % count] + self._base[(seeds // count) % count]
        found: NDArray[np.float32] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
        return found

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return one unit vector. Shape [d]."""
        found: NDArray[np.float32] = (await self.embed([text]))[0]
        return found

    async def windows(self, texts: Sequence[str]) -> list[TextWindows]:
        """Take every text for one window."""
        return [TextWindows(len(text) // 4, ((0, len(text)),)) for text in texts]

    async def aclose(self) -> None:
        """Hold nothing."""


async def _base() -> tuple[str, NDArray[np.float32]]:
    with running_sidecar() as (url, token):
        embedder = HttpEmbedder(EmbeddingSettings(url=url, key=token, timeout_s=300))
        vectors = await embedder.embed(corpus.sentences(2_000, seed=5))
        await embedder.aclose()
    return embedder.model, vectors


async def _until_done(registry: TaskRegistry, name: str, context: TaskContext) -> dict[str, float]:
    """Run a task to its end; return seconds of wall clock, and of CPU of both processes."""
    async with context.database.transaction() as session:
        pid = (await session.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
    started, of_worker, of_database = time.perf_counter(), time.process_time(), _cpu_s(pid)
    is_done = False
    while not is_done:
        try:
            await registry.tasks[name](context)
            is_done = True
        except TaskPostponedError:
            pass
    return {
        "wall": time.perf_counter() - started,
        "worker": time.process_time() - of_worker,
        "database": _cpu_s(pid) - of_database,
    }


def _cpu_s(pid: int) -> float:
    """Return the CPU time a process has used so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


async def _measure(server: EmbeddedPostgres, sizes: Sequence[int]) -> list[dict[str, Any]]:
    server.ensure_database("bench")
    migrations.upgrade(server.owner_url("bench"))
    migrations.allow_app_login(server.owner_url("bench"), server.password("app"))
    database = Database(server.app_url("bench"), DatabaseSettings(pool_size=1), name="worker")
    embedder = Mixtures(*await _base())
    spaces = Spaces(database, {embedder.model: embedder}, primary=embedder.model)
    async with database.transaction(tenant_id=TENANT) as session:
        await session.execute(_ADD_TENANT, {"tenant_id": TENANT})
    registry = TaskRegistry()
    tasks.register(registry, spaces, None, LinkingSettings())
    found, held = [], 0
    for size in sizes:
        last = min(LAST, size - held)
        if size - held > last:
            await _grow(database, embedder, registry, held, size - held - last)
        figures = await _grow(database, embedder, registry, size - last, last)
        found.append({"memories": size, **figures})
        held = size
    await database.close()
    return found


async def _grow(
    database: Database, embedder: Mixtures, registry: TaskRegistry, held: int, count: int
) -> dict[str, Any]:
    """Store so many more memories and organise them; return milliseconds per memory."""
    await _fill(database, embedder, held, count)
    async with database.transaction(tenant_id=TENANT) as session:
        owner_id = (await session.execute(_OWNER_ID, {"name": OWNER})).scalar_one()
        await session.execute(sa.text("UPDATE embedding_models SET uses_bits = true"))
    context = TaskContext(
        database=database, tenant_id=TENANT, owner_id=owner_id, job_id=UUID(int=3)
    )
    await asyncio.sleep(2.1)  # the registry's spaces look at the model anew
    found: dict[str, Any] = {}
    for name in ("linking.note", "linking.link"):
        spent = await _until_done(registry, name, context)
        found[name] = {part: round(spent_s * 1e3 / count, 3) for part, spent_s in spent.items()}
    return found


async def _fill(database: Database, embedder: Mixtures, held: int, count: int) -> None:
    """Store made-up statements in sessions of a hundred."""
    principal = Principal(TENANT, UUID(int=2), frozenset({"read", "write"}))
    spaces = Spaces(database, {embedder.model: embedder}, primary=embedder.model)
    texts = corpus.sentences(count, seed=held + 1)
    for start in range(0, count, 100):
        when = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=held + start)
        items = [
            MemoryItem(
                content=text,
                name=corpus.PEOPLE[place % 2],
                session_id=f"s{held + start}",
                occurred_at=when + timedelta(seconds=place),
            )
            for place, text in enumerate(texts[start : start + 100])
        ]
        body = MemoriesCreate(user_id=OWNER, items=items)
        write = ingestion.read(principal, body, key=None, now=clock.now())
        await ingestion.remember(database, spaces, write, budget_s=60)


def _record(found: list[dict[str, Any]]) -> None:
    rows = []
    for one in found:
        tasks_of = {name: one[name] for name in ("linking.note", "linking.link")}
        cpu_ms = sum(spent["worker"] + spent["database"] for spent in tasks_of.values())
        rate = round(1e3 / cpu_ms)
        rows.append(
            evidence.row(
                f"notes and links on one core, store of {one['memories']:,}", rate,
                unit="memories/s", target=f"≥ {TARGET_PER_S}", holds=rate >= TARGET_PER_S,
            )
        )  # fmt: skip
        rows += [
            evidence.row(
                f"`{name}`, CPU of worker + database, store of {one['memories']:,}",
                f"{spent['worker']} + {spent['database']}",
                unit="ms/memory",
            )
            for name, spent in tasks_of.items()
        ]
    evidence.write(
        "linking_cost",
        name="Cost of notes and links by size of the store",
        command="python -m scripts.bench.linking_cost --record",
        n=f"the last {LAST:,} memories at each size (all at the first)",
        rows=rows,
        notes="One owner, no language model, embedding excluded, one worker; rates by CPU time, as "
        "other work ran on the machine. From 2,000 memories on neighbours are searched by sign "
        "bits, read once for 64 memories: the slope of `linking.link` is this reading and scan.",
        raw=found,
    )


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    with measured_postgres() as (server, _):
        found = asyncio.run(_measure(server, [int(size) for size in arguments.sizes.split(",")]))
    if arguments.record:
        _record(found)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
