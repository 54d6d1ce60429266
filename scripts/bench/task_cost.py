"""Processor time of each task of the chain, one task after the other, nothing else at work."""

import time
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from pydantic import SecretStr

from app.embeddings.client import HttpEmbedder
from app.ingestion.service import ENRICHMENT_TASKS
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import Task, TaskContext
from app.kit.database import Database, sqlalchemy_url
from app.kit.settings import DatabaseSettings, EmbeddingSettings, Settings
from app.launcher.embedded import EmbeddedPostgres
from app.worker import build_registry
from scripts.bench import conversations, processors, write_cost
from scripts.bench.conversations import Conversation
from scripts.bench.sidecar import running_sidecar

_OWNERS = sa.text("SELECT owner_id FROM owners ORDER BY owner_id")


async def measure(
    server: EmbeddedPostgres, told: Sequence[Conversation]
) -> dict[str, dict[str, float]]:
    """Return by task milliseconds a memory: of processors by program, and by the clock."""
    url = write_cost.new_database(server, "task_cost")
    with running_sidecar() as (sidecar, token):
        embedder = HttpEmbedder(EmbeddingSettings(url=sidecar, key=token, timeout_s=300))
        database = Database(url, DatabaseSettings(pool_size=4), name="bench")
        count = await conversations.store(database, embedder, told)
        tasks = build_registry(database, embedder, Settings(database_url=SecretStr(url))).tasks
        contexts = [_context(database, one) for one in _owners(server.owner_url("task_cost"))]
        found = {}
        for name in ENRICHMENT_TASKS:
            before, started = processors.spent(), time.perf_counter()
            for context in contexts:
                await _through(tasks[name], context)
            spent = processors.since(before)
            spent["worker"] = spent.pop(processors.HERE)
            spent["clock"] = time.perf_counter() - started
            found[name] = {part: round(s * 1e3 / count, 2) for part, s in spent.items()}
        await embedder.aclose()
        await database.close()
    return found


def _owners(owner_url: str) -> list[int]:
    engine = sa.create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        found = list(connection.execute(_OWNERS).scalars())
    engine.dispose()
    return found


def _context(database: Database, owner_id: int) -> TaskContext:
    return TaskContext(
        database=database,
        tenant_id=conversations.TENANT,
        owner_id=owner_id,
        job_id=UUID(int=3),
    )


async def _through(task: Task, context: TaskContext) -> None:
    """Run a task until nothing is left for it to do."""
    while True:
        try:
            await task(context)
        except TaskPostponedError:
            continue
        return
