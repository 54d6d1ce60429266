"""How fast one worker, in a process of its own, works off what was written before."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.embeddings.client import HttpEmbedder
from app.kit.database import Database, sqlalchemy_url
from app.kit.settings import DatabaseSettings, EmbeddingSettings
from app.launcher.embedded import EmbeddedPostgres
from scripts.bench import conversations, processors, write_cost
from scripts.bench.conversations import Conversation
from scripts.bench.sidecar import running_sidecar

_WAITING = sa.text("SELECT count(*) FROM jobs WHERE finished_at IS NULL")
_MADE = {
    "notes": sa.text("SELECT count(*) FROM notes"),
    "links": sa.text("SELECT count(*) FROM note_links"),
    "thoughts": sa.text("SELECT count(*) FROM thoughts"),
    "days": sa.text("SELECT count(*) FROM day_summaries WHERE NOT is_stale"),
    "shades": sa.text("SELECT count(*) FROM shades"),
}


class Worker:
    """A worker in a process of its own, its log, and the memory it takes."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._log = log
        self.most_mib = 0.0
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "worker"],
                env=os.environ | environment,
                stderr=output,
            )

    def look(self) -> None:
        """Note how much memory it took so far."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        held = dict(row.split(":", 1) for row in status.splitlines())
        self.most_mib = max(self.most_mib, int(held["VmHWM"].split()[0]) / 1024)

    def stop(self) -> None:
        """Let it end."""
        self._process.terminate()
        self._process.wait(20)

    def seconds(self) -> dict[str, float]:
        """Return the time spent in each task, by its log."""
        spent: dict[str, float] = defaultdict(float)
        for line in self._log.read_text().splitlines():
            if line.startswith("{") and (told := json.loads(line)).get("event") == "task ended":
                spent[told["task"]] += told["duration_ms"] / 1000
        return {name: round(value, 2) for name, value in spent.items()}


async def measure(
    server: EmbeddedPostgres, name: str, told: Sequence[Conversation], directory: Path
) -> dict[str, Any]:
    """Fill a database of this name, then time a worker until nothing waits."""
    url, owner_url = write_cost.new_database(server, name), server.owner_url(name)
    with running_sidecar() as (sidecar, token):
        embedder = HttpEmbedder(EmbeddingSettings(url=sidecar, key=token, timeout_s=300))
        database = Database(url, DatabaseSettings(pool_size=2), name="bench")
        count = await conversations.store(database, embedder, told)
        await embedder.aclose()
        await database.close()
        environment = {
            "APP_DATABASE_URL": url,
            "APP_EMBEDDINGS__URL": sidecar,
            "APP_EMBEDDINGS__KEY": token.get_secret_value(),
            "APP_LOG__FORMAT": "json",
            "APP_JOBS__METRICS_PORT": "0",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        before = processors.spent()
        worker = Worker(environment, directory / f"{name}.log")
        try:
            spent_s = await _until_done(owner_url, worker)
            cpu = processors.since(before)
        finally:
            worker.stop()
    cpu_ms = {
        program: round(spent * 1e3 / count, 2)
        for program, spent in cpu.items()
        if program != processors.HERE
    }
    return {
        "owners": len(told),
        "memories": count,
        "seconds": round(spent_s, 1),
        "memories_per_s": round(count / spent_s, 1),
        "worker_mib": round(worker.most_mib),
        "cpu_ms": cpu_ms,
        "task_seconds": worker.seconds(),
        "made": _counts(owner_url),
    }


async def _until_done(owner_url: str, worker: Worker) -> float:
    """Wait until no job is left; return the seconds since the worker was started."""
    engine = sa.create_engine(sqlalchemy_url(owner_url), isolation_level="AUTOCOMMIT")
    started = time.perf_counter()
    with engine.connect() as connection:
        while connection.execute(_WAITING).scalar_one():
            worker.look()
            await asyncio.sleep(0.1)
    spent_s = time.perf_counter() - started
    engine.dispose()
    return spent_s


def _counts(owner_url: str) -> dict[str, int]:
    engine = sa.create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        found = {name: connection.execute(asked).scalar_one() for name, asked in _MADE.items()}
    engine.dispose()
    return found
