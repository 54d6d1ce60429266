"""Recall by owner size: time and agreement of both dense paths, bytes and write cost.

    python -m scripts.bench.owner_size [--memories 300000] [--record]

Runs in a throw-away embedded server; vectors are mixtures of real ones (the sidecar's encoder runs
in this process). Times are given as wall clock and as CPU of the database's process, which other
load on the machine does not change. Only Linux has the latter.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.embeddings.client import HttpEmbedder
from app.kit import clock
from app.kit.database import Database, sqlalchemy_url
from app.kit.settings import DatabaseSettings, EmbeddingSettings, RetrievalSettings
from app.launcher import migrations
from app.launcher.embedded import EmbeddedPostgres
from app.memories.service import Spaces
from app.retrieval.service import Narrowing, Question, Recaller
from app.tenants.schemas import OwnerName, Principal
from scripts.bench import corpus, evidence, seed
from scripts.bench.postgres import measured_postgres
from scripts.bench.sidecar import running_sidecar

SIZES = {"100": 100, "1k": 1_000, "5k": 5_000, "20k": 20_000, "100k": 100_000}
QUERIES = 60
TENANT = UUID(int=1)

_ADD_TENANT = sa.text("""
    INSERT INTO tenants (tenant_id, name, created_at) VALUES (:tenant_id, 'bench', now())
""")


def _owners(total: int) -> list[tuple[str, int]]:
    """Return one owner of each size, and others of lognormal size up to the total."""
    owners = [(f"owner-{name}", size) for name, size in SIZES.items() if size <= total // 2]
    rng, left, number = random.Random(11), total - sum(size for _, size in owners), 0
    while left > 0:
        size = min(left, max(20, round(rng.lognormvariate(6, 1))))
        owners.append((f"other-{number}", size))
        left, number = left - size, number + 1
    return owners


class Measured:
    """One connection's process, whose CPU time the kernel counts."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.pid = 0

    async def find(self) -> None:
        """Learn the process of the only connection."""
        async with self.database.transaction() as session:
            self.pid = (await session.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()

    def cpu_ms(self) -> float:
        """Return the CPU time the process has used so far."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e6


async def _cell(
    measured: Measured, spaces: Spaces, owner: str, settings: RetrievalSettings, asked: list[str]
) -> tuple[dict[str, float], list[list[int]]]:
    recaller = Recaller(measured.database, spaces, settings, timeout_s=30)
    walls, cpus, found = [], [], []
    for number, text in enumerate(asked[:5] + asked):
        question = Question(
            tenant_id=TENANT, owner=OwnerName("user", owner), text=text, limit=20,
            narrowing=Narrowing(),
        )  # fmt: skip
        before, started = measured.cpu_ms(), time.perf_counter()
        answer = await recaller.recall(question, now=clock.now())
        if number >= 5:  # the first ones warm the plans up
            walls.append((time.perf_counter() - started) * 1e3)
            cpus.append(measured.cpu_ms() - before)
            found.append([one.ordinal for one in answer.candidates])
    figures = {
        "wall_ms_p50": statistics.median(walls),
        "wall_ms_p95": statistics.quantiles(walls, n=20)[-1],
        "cpu_ms_p50": statistics.median(cpus),
        "cpu_ms_p95": statistics.quantiles(cpus, n=20)[-1],
    }
    return {name: round(value, 2) for name, value in figures.items()}, found


def _agreement(exact: list[list[int]], other: list[list[int]]) -> float:
    shares = [len(set(a) & set(b)) / max(1, len(a)) for a, b in zip(exact, other, strict=True)]
    return round(statistics.mean(shares), 4)


async def _bytes(owner_url: str, memories: int) -> dict[str, float]:
    engine = sa.create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT 10"
            )
        ).all()
    engine.dispose()
    return {name: round(size / memories, 1) for name, size in rows}


async def _fill(
    measured: Measured, total: int, asked: list[str]
) -> tuple[seed.Precomputed, dict[str, float]]:
    """Store all memories; return the questions' vectors and the cost of the writes."""
    database = measured.database
    with running_sidecar() as (url, token):
        embedder = HttpEmbedder(EmbeddingSettings(url=url, key=token, timeout_s=300))
        async with database.transaction(tenant_id=TENANT) as session:
            await session.execute(_ADD_TENANT, {"tenant_id": TENANT})
        principal = Principal(TENANT, UUID(int=2), frozenset({"read", "write"}))
        before = measured.cpu_ms()
        wall_s = await seed.fill(database, embedder, principal, _owners(total))
        cost = {
            "write_cpu_ms_per_memory": round((measured.cpu_ms() - before) / total, 3),
            "write_wall_ms_per_memory": round(wall_s * 1e3 / total, 3),
        }
        known = seed.Precomputed(embedder.model)
        known.vectors = dict(zip(asked, await embedder.embed(asked), strict=True))
        await embedder.aclose()
    return known, cost


async def _measure(server: EmbeddedPostgres, total: int) -> dict[str, Any]:
    server.ensure_database("bench")
    owner_url = server.owner_url("bench")
    migrations.upgrade(owner_url)
    migrations.allow_app_login(owner_url, server.password("app"))
    database = Database(server.app_url("bench"), DatabaseSettings(pool_size=1))
    measured = Measured(database)
    await measured.find()
    asked = corpus.questions(QUERIES, seed=3)
    known, cost = await _fill(measured, total, asked)
    _vacuum(owner_url)
    async with database.transaction() as session:
        await session.execute(sa.text("UPDATE embedding_models SET uses_bits = true"))
    spaces = Spaces(database, {known.model: known}, primary=known.model)
    sizes = {
        name: size for name, size in SIZES.items() if (f"owner-{name}", size) in _owners(total)
    }
    cells = {name: await _cells(measured, spaces, f"owner-{name}", asked) for name in sizes}
    await database.close()
    return {
        "memories": total,
        "owners": len(_owners(total)),
        "queries": QUERIES,
        "shared_buffers": server_setting(owner_url, "shared_buffers"),
        **cost,
        "bytes_per_memory": await _bytes(owner_url, total),
        "cells": cells,
    }


async def _cells(
    measured: Measured, spaces: Spaces, owner: str, asked: list[str]
) -> dict[str, Any]:
    """Measure one owner with the dense path forced each way."""
    forced = {"exact": 10**9, "bits": 0}
    found = {
        path: await _cell(measured, spaces, owner, RetrievalSettings(exact_below=below), asked)
        for path, below in forced.items()
    }
    figures: dict[str, Any] = {path: cell for path, (cell, _) in found.items()}
    figures["agreement"] = _agreement(found["exact"][1], found["bits"][1])
    return figures


def plot(result: dict[str, Any], path: Path) -> None:
    """Draw CPU time by owner size, both dense paths, as a picture."""
    import matplotlib as mpl  # noqa: PLC0415  -- only those who draw need it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(7, 4))
    sizes = [SIZES[name] for name in result["cells"]]
    for way in ("exact", "bits"):
        axes.plot(
            sizes, [cell[way]["cpu_ms_p50"] for cell in result["cells"].values()], "o-", label=way
        )
    axes.set(xscale="log", yscale="log", xlabel="memories of the owner")
    axes.set_ylabel("database CPU per recall, ms (median)")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(title="dense arm")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _vacuum(owner_url: str) -> None:
    engine = sa.create_engine(sqlalchemy_url(owner_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()


def server_setting(owner_url: str, name: str) -> str:
    """Return a setting of the server, as SHOW gives it."""
    engine = sa.create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        value = connection.execute(sa.text("SELECT current_setting(:name)"), {"name": name})
        found = str(value.scalar_one())
    engine.dispose()
    return found


TARGET_CPU_MS = {"5k": 5.7, "20k": 12.0, "100k": 34.0}


def _record(result: dict[str, Any]) -> None:
    """Keep a result as evidence, with its plot."""
    below = RetrievalSettings().exact_below
    rows = []
    for name, cell in result["cells"].items():
        path = "exact" if SIZES[name] < below else "bits"
        value, target = cell[path]["cpu_ms_p50"], TARGET_CPU_MS.get(name)
        rows.append(
            evidence.row(
                f"database CPU per recall, owner of {name} ({path})",
                value,
                unit="ms",
                target=f"≤ {target} ms" if target else "",
                holds=value <= target if target else None,
            )
        )
        share = cell["agreement"]
        rows.append(
            evidence.row(
                f"top-20 agreement of bits with exact, owner of {name}",
                share,
                target="≥ .99",
                holds=share >= 0.99,
            )
        )
    write = result["write_cpu_ms_per_memory"]
    rows.append(
        evidence.row(
            "database CPU per memory written", write, unit="ms", target="≤ 0.4 ms",
            holds=write <= 0.4,
        )
    )  # fmt: skip
    total = round(sum(result["bytes_per_memory"].values()))
    rows.append(evidence.row("bytes per memory, all tables", total))
    evidence.write(
        "owner_size",
        name="Recall by owner size",
        command="python -m scripts.bench.owner_size --record",
        n=f"{result['queries']} questions a cell, {result['memories']} memories of "
        f"{result['owners']} owners",
        rows=rows,
        notes=f"shared_buffers {result['shared_buffers']}; the whole transaction of a recall, "
        "naming the owner included; owners' rows interleaved on disk; warm.",
        raw=result,
    )
    plot(result, evidence.DIRECTORY / "owner_size.png")


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--memories", type=int, default=300_000)
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    with measured_postgres() as (server, _):
        result = asyncio.run(_measure(server, arguments.memories))
    result["measured_on"] = datetime.now(UTC).date().isoformat()
    if arguments.record:
        _record(result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
