"""Recall by owner size: time and agreement of each dense path, bytes and write cost.

    python -m scripts.bench.owner_size [--memories 400000] [--record]

Runs in a throw-away embedded server. Talk is recombined from the evaluation sets (see ``topical``),
with one name in most keys; vectors are mixtures of real ones. Times are given as wall clock and as
CPU of the database's process, which other load on the machine changes least. Only Linux has the
latter. Cold: the first recalls of an owner after a restart of the server, whose own cache is empty
then; the system's is not.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
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
from scripts.bench import covers, evidence, seed, topical
from scripts.bench.postgres import measured_postgres
from scripts.bench.sidecar import running_sidecar
from scripts.bench.topical import Library

SIZES = {"100": 100, "1k": 1_000, "5k": 5_000, "20k": 20_000, "100k": 100_000, "200k": 200_000}
PATHS: dict[str, dict[str, int]] = {
    "exact": {"exact_below": 10**9},
    "bits": {"exact_below": 0, "hnsw_from": 10**9},
    "hnsw": {"exact_below": 0, "hnsw_from": 1},
}
HNSW_FROM = 5_000
"""Keys from which the index is measured: somewhat below where it is used."""
QUERIES = 60
COLD_QUERIES = 8
TENANT = UUID(int=1)

_ADD_TENANT = sa.text("""
    INSERT INTO tenants (tenant_id, name, created_at) VALUES (:tenant_id, 'bench', now())
""")


def _owners(total: int) -> list[tuple[str, int]]:
    """Return one owner of each size that fits, and others of lognormal size up to the total."""
    owners = [(f"owner-{name}", size) for name, size in SIZES.items() if size <= 0.7 * total]
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
    measured: Measured,
    spaces: Spaces,
    owner: str,
    settings: RetrievalSettings,
    asked: Sequence[str],
    *,
    warm: int = 5,
) -> tuple[dict[str, float], list[list[int]]]:
    recaller = Recaller(measured.database, spaces, settings, timeout_s=30)
    walls, cpus, found = [], [], []
    for number, text in enumerate([*asked[:warm], *asked]):
        question = Question(
            tenant_id=TENANT, owner=OwnerName("user", owner), text=text, limit=20,
            narrowing=Narrowing(),
        )  # fmt: skip
        before, started = measured.cpu_ms(), time.perf_counter()
        answer = await recaller.recall(question, now=clock.now())
        if number >= warm:  # the first ones warm the plans up
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


async def _fill(measured: Measured, total: int, library: Library) -> dict[str, float]:
    """Store all memories; return the cost of the writes."""
    database = measured.database
    with running_sidecar() as (url, token):
        embedder = HttpEmbedder(EmbeddingSettings(url=url, key=token, timeout_s=300))
        units = library.units
        parts = [await embedder.embed(units[at : at + 256]) for at in range(0, len(units), 256)]
        await embedder.aclose()
    async with database.transaction(tenant_id=TENANT) as session:
        await session.execute(_ADD_TENANT, {"tenant_id": TENANT})
    principal = Principal(TENANT, UUID(int=2), frozenset({"read", "write"}))
    filler = seed.Filler(database, principal, library, np.concatenate(parts), model=embedder.model)
    before = measured.cpu_ms()
    wall_s = await filler.fill(_owners(total))
    return {
        "write_cpu_ms_per_memory": round((measured.cpu_ms() - before) / total, 3),
        "write_wall_ms_per_memory": round(wall_s * 1e3 / total, 3),
    }


async def _embedded(library: Library) -> seed.Precomputed:
    """Return an embedder that knows all questions."""
    asked = [question for home in library.homes for question in home.questions]
    with running_sidecar() as (url, token):
        embedder = HttpEmbedder(EmbeddingSettings(url=url, key=token, timeout_s=300))
        known = seed.Precomputed(embedder.model)
        known.vectors = dict(zip(asked, await embedder.embed(asked), strict=True))
        await embedder.aclose()
    return known


async def _measure(
    server: EmbeddedPostgres, arguments: argparse.Namespace, library: Library
) -> dict[str, Any]:
    total = arguments.memories
    server.ensure_database("bench")
    owner_url = server.owner_url("bench")
    migrations.upgrade(owner_url)
    migrations.allow_app_login(owner_url, server.password("app"))
    database = Database(server.app_url("bench"), DatabaseSettings(pool_size=1))
    measured = Measured(database)
    await measured.find()
    result: dict[str, Any] = {"memories": total, "owners": len(_owners(total))}
    is_filled = await _count(owner_url) >= total
    if not is_filled:
        result |= await _fill(measured, total, library)
    result |= _cover(owner_url)
    known = await _embedded(library)
    spaces = Spaces(database, {known.model: known}, primary=known.model)
    cells = {}
    for place, (name, size) in enumerate(SIZES.items()):
        if (f"owner-{name}", size) in _owners(total):
            asked = library.home_of(place).questions[:QUERIES]
            cells[name] = await _cells(measured, spaces, name, asked)
            print(name, cells[name], flush=True)
    await database.close()
    result["cold"] = await _cold(server, known, library, list(cells))
    return result | {
        "queries": QUERIES,
        "shared_buffers": server_setting(owner_url, "shared_buffers"),
        "bytes_per_memory": await _bytes(owner_url, total),
        "cells": cells,
    }


async def _count(owner_url: str) -> int:
    engine = sa.create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        held = connection.execute(sa.text("SELECT coalesce(sum(keys), 0) FROM owner_stats"))
        count = int(held.scalar_one())
    engine.dispose()
    return count


async def _cells(
    measured: Measured, spaces: Spaces, name: str, asked: Sequence[str]
) -> dict[str, Any]:
    """Measure one owner with the dense path forced each way, and as chosen."""
    figures: dict[str, Any] = {}
    exact: list[list[int]] = []
    for path, forced in {**PATHS, "chosen": {}}.items():
        if path == "hnsw" and SIZES[name] < HNSW_FROM:
            continue
        settings = RetrievalSettings.model_validate(forced)
        cell, found = await _cell(measured, spaces, f"owner-{name}", settings, asked)
        exact = exact or found
        figures[path] = cell | {"agreement": _agreement(exact, found)}
    return figures


async def _cold(
    server: EmbeddedPostgres, known: seed.Precomputed, library: Library, names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Restart the server before each owner, and measure its first recalls."""
    found = {}
    for name in names:
        server.stop(timeout=60)
        server.start()
        database = Database(server.app_url("bench"), DatabaseSettings(pool_size=1))
        measured = Measured(database)
        await measured.find()
        spaces = Spaces(database, {known.model: known}, primary=known.model)
        home = library.home_of(list(SIZES).index(name))
        asked = home.questions[-COLD_QUERIES:]
        found[name], _ = await _cell(
            measured, spaces, f"owner-{name}", RetrievalSettings(), asked, warm=0
        )
        await database.close()
    return found


def plot(result: dict[str, Any], path: Path) -> None:
    """Draw CPU time by owner size and dense path as a picture."""
    import matplotlib as mpl  # noqa: PLC0415  -- only those who draw need it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(7, 4))
    for way in (*PATHS, "chosen"):
        held = {name: cell[way] for name, cell in result["cells"].items() if way in cell}
        axes.plot(
            [SIZES[name] for name in held],
            [cell["cpu_ms_p50"] for cell in held.values()],
            "k--" if way == "chosen" else "o-",
            label=way,
        )
    axes.set(xscale="log", yscale="log", xlabel="memories of the owner")
    axes.set_ylabel("database CPU per recall, ms (median)")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(title="dense arm")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _cover(owner_url: str) -> dict[str, float]:
    """Trust the bits, make the background indexes of large owners, and vacuum; return seconds."""
    took = {}
    engine = sa.create_engine(sqlalchemy_url(owner_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("UPDATE embedding_models SET uses_bits = true"))
        is_covered = connection.execute(sa.text("SELECT count(*) FROM covered_keys")).scalar_one()
        if not is_covered:
            for name, statements in covers.in_bulk(HNSW_FROM).items():
                started = time.perf_counter()
                for statement in statements:
                    connection.exec_driver_sql(statement)
                took[f"{name}_s"] = round(time.perf_counter() - started, 1)
        connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()
    return took


def server_setting(owner_url: str, name: str) -> str:
    """Return a setting of the server, as SHOW gives it."""
    engine = sa.create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        value = connection.execute(sa.text("SELECT current_setting(:name)"), {"name": name})
        found = str(value.scalar_one())
    engine.dispose()
    return found


TARGET_CPU_MS = {"5k": 5.7, "20k": 12.0, "100k": 34.0}


def _record(result: dict[str, Any], notes: str) -> None:
    """Keep a result as evidence, with its plot."""
    rows = []
    for name, cell in result["cells"].items():
        value, target = cell["chosen"]["cpu_ms_p50"], TARGET_CPU_MS.get(name)
        best = min(cell[path]["cpu_ms_p50"] for path in PATHS if path in cell)
        share = cell["chosen"]["agreement"]
        rows += [
            evidence.row(
                f"database CPU per recall, owner of {name}",
                value,
                unit="ms",
                target=f"≤ {target} ms" if target else "",
                holds=value <= target if target else None,
            ),
            evidence.row(
                f"the chosen path against the best one, owner of {name}",
                round(value / best, 2),
                target="≤ 1.2",
                holds=value <= 1.2 * best,
            ),
            evidence.row(
                f"top-20 agreement with exact fusion, owner of {name}",
                share,
                target="≥ .99",
                holds=share >= 0.99,
            ),
            evidence.row(
                f"first recalls after a restart, owner of {name}: wall clock",
                result["cold"][name]["wall_ms_p50"],
                unit="ms",
            ),
        ]
    rows += _of_writes(result)
    evidence.write(
        "owner_size",
        name="Recall by owner size",
        command=f"python -m scripts.bench.owner_size --memories {result['memories']} --record",
        n=f"{result['queries']} questions a cell, {result['memories']} memories of "
        f"{result['owners']} owners",
        rows=rows,
        notes=f"shared_buffers {result['shared_buffers']}; the whole transaction of a recall, "
        f"naming the owner included; owners' rows interleaved on disk; warm. {notes}".strip(),
        raw=result,
    )
    plot(result, evidence.DIRECTORY / "owner_size.png")


def _of_writes(result: dict[str, Any]) -> list[dict[str, Any]]:
    total = round(sum(result["bytes_per_memory"].values()))
    rows = [evidence.row("bytes per memory, all tables", total)]
    if "write_cpu_ms_per_memory" in result:
        write = result["write_cpu_ms_per_memory"]
        rows.append(
            evidence.row(
                "database CPU per memory written", write, unit="ms", target="≤ 0.4 ms",
                holds=write <= 0.4,
            )
        )  # fmt: skip
    return rows


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--memories", type=int, default=400_000)
    parser.add_argument("--data", type=Path, default=topical.DATA, help="sets to recombine")
    parser.add_argument("--directory", type=Path, help="keep the store there, and use it again")
    parser.add_argument("--notes", default="", help="what else the machine did")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    library = topical.read(arguments.data)
    with measured_postgres(arguments.directory) as (server, _):
        result = asyncio.run(_measure(server, arguments, library))
    result["measured_on"] = datetime.now(UTC).date().isoformat()
    if arguments.record:
        _record(result, arguments.notes)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
