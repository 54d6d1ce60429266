"""How fast the chain behind a write is without a language model, and what one more write costs.

    python -m scripts.bench.enrichment TEXTS [--sizes 1000,10000,100000] [--record]

``TEXTS`` is a file of conversations, one JSON object a line: ``{"id": …, "docs": [{"session": …,
"date": "1:56 pm on 8 May, 2023", "speaker": …, "text": …}]}``. Each is stored as one user's, with
vectors of a real sidecar; then a worker of its own process runs the chain while nobody writes.
The cost of a write is measured in this process, see ``write_cost``.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.embeddings.client import HttpEmbedder
from app.ingestion import service as ingestion
from app.ingestion.schemas import MemoriesCreate, MemoryItem
from app.kit import clock
from app.kit.database import Database, sqlalchemy_url
from app.kit.settings import DatabaseSettings, EmbeddingSettings
from app.launcher.embedded import EmbeddedPostgres
from app.memories.service import Spaces
from app.tenants.schemas import Principal
from scripts.bench import evidence, write_cost
from scripts.bench.postgres import measured_postgres
from scripts.bench.sidecar import running_sidecar

TARGET_PER_S = 50
TARGET_MIB = 200
_BATCH = 100

_ADD_TENANT = sa.text("""
    INSERT INTO tenants (tenant_id, name, created_at) VALUES (:tenant_id, 'bench', now())
""")
_WAITING = sa.text("SELECT count(*) FROM jobs WHERE finished_at IS NULL")
_MADE = {
    "notes": sa.text("SELECT count(*) FROM notes"),
    "links": sa.text("SELECT count(*) FROM note_links"),
    "thoughts": sa.text("SELECT count(*) FROM thoughts"),
    "days": sa.text("SELECT count(*) FROM day_summaries WHERE NOT is_stale"),
    "shades": sa.text("SELECT count(*) FROM shades"),
}


def _items(docs: list[dict[str, Any]]) -> list[MemoryItem]:
    """Return turns with the times of their sessions, a minute apart."""
    items = []
    for session, turns in groupby(docs, lambda one: one["session"]):
        for number, turn in enumerate(turns):
            start = datetime.strptime(turn["date"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
            items.append(
                MemoryItem(
                    content=turn["text"],
                    name=turn["speaker"],
                    session_id=f"s{session}",
                    occurred_at=start + timedelta(minutes=number),
                )
            )
    return items


async def _fill(database: Database, embedder: HttpEmbedder, texts: str) -> dict[str, int]:
    """Store the conversations; return how many memories of how many owners they are."""
    tenant = UUID(int=1)
    async with database.transaction(tenant_id=tenant) as session:
        await session.execute(_ADD_TENANT, {"tenant_id": tenant})
    principal = Principal(tenant, UUID(int=2), frozenset({"read", "write"}))
    spaces = Spaces(database, {embedder.model: embedder}, primary=embedder.model)
    lines, stored = texts.splitlines(), 0
    for line in lines:
        held = json.loads(line)
        items = _items(held["docs"])
        for start in range(0, len(items), _BATCH):
            body = MemoriesCreate(user_id=held["id"], items=items[start : start + _BATCH])
            write = ingestion.read(principal, body, key=None, now=clock.now())
            await ingestion.remember(database, spaces, write, budget_s=300)
        stored += len(items)
    return {"owners": len(lines), "memories": stored}


def _cpu_s() -> float:
    """Return the processor time of all processes below this one: database, sidecar, worker."""
    ticks, parents = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(ticks[pid] for pid in ours - {os.getpid()}) / os.sysconf("SC_CLK_TCK")


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


async def _throughput(server: EmbeddedPostgres, texts: str, directory: Path) -> dict[str, Any]:
    """Fill a database, then time one worker until nothing waits."""
    url = write_cost.new_database(server, "throughput")
    with running_sidecar() as (sidecar, token):
        embedder = HttpEmbedder(EmbeddingSettings(url=sidecar, key=token, timeout_s=300))
        database = Database(url, DatabaseSettings(pool_size=2), name="bench")
        filled = await _fill(database, embedder, texts)
        await embedder.aclose()
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
        before_s = _cpu_s()
        worker = Worker(environment, directory / "worker.log")
        try:
            spent_s = await _until_done(server.owner_url("throughput"), worker)
            cpu_s = _cpu_s() - before_s
        finally:
            worker.stop()
        await database.close()
    return {
        **filled,
        "seconds": round(spent_s, 1),
        "memories_per_s": round(filled["memories"] / spent_s, 1),
        "worker_mib": round(worker.most_mib),
        "cpu_ms": round(cpu_s * 1e3 / filled["memories"], 2),
        "task_seconds": worker.seconds(),
        "made": _counts(server.owner_url("throughput")),
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


def _record(whole: dict[str, Any], costs: list[dict[str, Any]]) -> None:
    rate, size = whole["memories_per_s"], whole["worker_mib"]
    rows = [
        evidence.row(
            "the whole chain, no language model", rate, unit="memories/s",
            target=f"≥ {TARGET_PER_S}", holds=rate >= TARGET_PER_S,
        ),
        evidence.row(
            "the same, processor time of worker, sidecar and database", whole["cpu_ms"],
            unit="ms/memory",
        ),
        evidence.row(
            "memory of the worker, at most", size, unit="MiB",
            target=f"≤ {TARGET_MIB}", holds=size <= TARGET_MIB,
        ),
    ]  # fmt: skip
    rows += [
        evidence.row(f"`{name}`", round(spent * 1e3 / whole["memories"], 2), unit="ms/memory")
        for name, spent in whole["task_seconds"].items()
    ]
    for cost in costs:
        held = f"{cost['memories']:,}"
        rows.append(
            evidence.row(f"one more write of 20, store of {held}", cost["all"], unit="ms/memory")
        )
        rows.append(
            evidence.row(f"the same, day closed and profile renewed, shared among the memories "
                         f"between two renewals, store of {held}", cost["renewal"],
                         unit="ms/memory")
        )  # fmt: skip
    evidence.write(
        "enrichment",
        name="Background organisation",
        command="python -m scripts.bench.enrichment TEXTS --record",
        n=f"{whole['memories']:,} turns of {whole['owners']} conversations; "
        f"{write_cost.WRITES} writes at each size",
        rows=rows,
        notes=NOTES,
        raw={"throughput": whole, "write_cost": costs},
    )


NOTES = """\
Throughput: one worker process with its default settings, Postgres and the sidecar on the same \
cores, nobody else writing or asking; task times overlap, as owners are worked on side by side. \
Cost of a write: median over writes, in one process, texts and vectors made up."""


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("texts", type=Path, help="a file of conversations")
    parser.add_argument("--sizes", default="1000,10000,100000", help="'' for none")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    with measured_postgres() as (server, directory):
        whole = asyncio.run(_throughput(server, arguments.texts.read_text(), directory))
        print(json.dumps(whole, indent=1), flush=True)
        sizes = [int(size) for size in arguments.sizes.split(",") if size]
        costs = asyncio.run(write_cost.measure(server, sizes))
    if arguments.record:
        _record(whole, costs)
    print(json.dumps(costs, indent=1))


if __name__ == "__main__":
    main()
