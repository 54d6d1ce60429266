"""A million memories in one database: time to load, bytes, and latency under load.

    python -m scripts.bench.million [--memories 1000000] [--seconds 60] [--record]

2,000 users whose sizes follow a power law, the largest a tenth of all. A twenty-fifth of the
memories is written as always, the others are copied inside the database (see ``clones``). Then 16
clients ask and tell over HTTP: as fast as they can, then at half of that rate. Autovacuum is on;
the worker makes the mechanisms' part of what the clients write.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pydantic import SecretStr

from app.embeddings.client import HttpEmbedder
from app.kit.database import Database
from app.kit.settings import DatabaseSettings, EmbeddingSettings, RetrievalSettings
from app.launcher.cluster import OWNER_ROLE
from app.launcher.supervisor import DATABASE
from app.tenants.schemas import Principal
from scripts.bench import clones, covers, evidence, seed, topical
from scripts.bench.clients import CLIENTS, Load
from scripts.bench.load import Installation
from scripts.bench.owner_size import Measured
from scripts.bench.topical import Library

USERS = 2_000
LARGEST_SHARE = 0.1
POOL_SHARE = 0.04
TENANT = UUID("00000000-0000-7000-8000-000000000001")


def sizes(total: int) -> list[int]:
    """Return the users' sizes, largest first: the n-th is the largest's by a power of n."""

    def of(power: float) -> list[int]:
        largest = total * LARGEST_SHARE
        return [max(20, round(largest * rank**-power)) for rank in range(1, USERS + 1)]

    low, high = 0.3, 3.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(of(middle)) > total else (low, middle)
    return of(high)


class Million:
    """One installation that grows, and what is measured on the way."""

    def __init__(self, installation: Installation, total: int, library: Library) -> None:
        self.installation, self.total, self.library = installation, total, library
        self.owners = [(f"load-{rank}", size) for rank, size in enumerate(sizes(total))]
        self.result: dict[str, Any] = {"memories": total, "users": USERS}
        environment = installation.environment_of("app.main:create_app")
        data = installation.directory / "data"
        password = (data / "secrets" / "owner_password").read_text().strip()
        directory = data / "postgres" / "run"
        self.owner_url = (
            f"postgresql://{OWNER_ROLE}:{password}@/{DATABASE}?host={directory}&port=5432"
        )
        self.app_url = environment["APP_DATABASE_URL"]
        self.database = Database(self.app_url, DatabaseSettings(pool_size=2))
        self.embeddings = EmbeddingSettings(
            url=environment["APP_EMBEDDINGS__URL"],
            key=SecretStr(environment["APP_EMBEDDINGS__KEY"]),
            timeout_s=300,
        )

    async def load(self) -> None:
        """Write the pool, copy the rest, and measure what it costs as the store grows."""
        embedder = HttpEmbedder(self.embeddings)
        units = self.library.units
        parts = [await embedder.embed(units[at : at + 256]) for at in range(0, len(units), 256)]
        await embedder.aclose()
        principal = Principal(TENANT, UUID(int=2), frozenset({"read", "write"}))
        filler = seed.Filler(
            self.database, principal, self.library, np.concatenate(parts), model=embedder.model
        )
        homes = len(self.library.homes)
        pool = round(self.total * POOL_SHARE)
        started = time.perf_counter()
        await filler.fill([(f"pool-{n}", pool // homes) for n in range(homes)], writers=2)
        wall = time.perf_counter() - started
        self.result["pool"] = {"memories": pool, "seconds": round(wall, 1)}
        self._sql("UPDATE embedding_models SET uses_bits = true, bit_agreement = 1")
        writer = Database(self.app_url, DatabaseSettings(pool_size=1))
        measured = Measured(writer)
        await measured.find()
        base = np.concatenate(parts)
        single = seed.Filler(writer, principal, self.library, base, model=embedder.model, seed=8)
        await self._grow(single, measured)
        await writer.close()

    async def _grow(self, filler: seed.Filler, measured: Measured) -> None:
        """Copy in four steps; after each, weigh the store and write a little as always."""
        self.result["growth"], copied_s = [], 0.0
        steps = 4
        for step in range(steps):
            share = self.owners[step::steps]
            copied_s += await asyncio.to_thread(
                clones.copy, self.owner_url, str(TENANT), share, seed=step
            )
            before = measured.cpu_ms()
            await filler.fill([(f"grown-{step}", 2_000)])
            cost = round((measured.cpu_ms() - before) / 2_000, 3)
            self.result["growth"].append(self._weighed() | {"write_database_ms": cost})
            print(self.result["growth"][-1], flush=True)
        self.result["copy_s"] = round(copied_s, 1)

    def index(self) -> None:
        """Make the background indexes of large users, and vacuum."""
        for name, statements in covers.in_bulk(RetrievalSettings().hnsw_from).items():
            self.result[f"{name}_s"] = self._timed(*statements)
        indexed = self._sql("SELECT count(*), count(DISTINCT owner_id) FROM embedding_hnsw_1")
        self.result["hnsw_vectors"], self.result["hnsw_users"] = indexed[0]
        self.result["vacuum_s"] = self._timed("VACUUM ANALYZE")
        self.result["bytes"] = self._weighed()["bytes"]
        self.result["tables"] = dict(
            self._sql(
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT 12"
            )
        )

    async def ask(self, seconds: float) -> None:
        """Measure the maximum, then latencies at half of it."""
        small = [name for name, size in self.owners if size <= 10_000]
        classes = {
            "users up to 10k": small,
            "users up to 10k again": small,
            f"the user of {self.owners[0][1] // 1000}k": [self.owners[0][0]],
        }
        asked = [one for home in self.library.homes for one in home.questions]
        turns = self.library.turns(0, seed=99)
        said = [(turn.speaker, turn.text) for turn, _ in zip(turns, range(500), strict=False)]
        load = Load(self.installation.url, self.installation.key, classes, asked, said)
        await load.run(15)
        self.result["maximum"] = await load.run(seconds)
        half = self.result["maximum"]["requests_per_s"] / 2
        self.result["offered_rate"] = round(half, 1)
        self.result["offered"] = await load.run(seconds, rate=half)
        await self.database.close()

    def _weighed(self) -> dict[str, Any]:
        row = self._sql(
            "SELECT (SELECT sum(keys) FROM owner_stats), pg_database_size(current_database())"
        )[0]
        return {"memories": int(row[0]), "bytes": int(row[1])}

    def _timed(self, *statements: str) -> float:
        started = time.perf_counter()
        for statement in statements:
            self._sql(statement)
        return round(time.perf_counter() - started, 1)

    def _sql(self, statement: str) -> Sequence[Any]:
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            connection.execute("SET maintenance_work_mem = '1GB'")
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else ()


TARGETS = {"users up to 10k": 40, "the user of": 80}
"""Milliseconds within which 95 of 100 recalls answer."""


def _record(result: dict[str, Any]) -> None:
    """Keep a result as evidence, with its plot."""
    row = evidence.row
    rows = [
        row("copied inside the database", result["copy_s"], unit="s"),
        row("bytes per memory, indexes included",
            round(result["bytes"] / result["growth"][-1]["memories"]), unit="B"),
        row("counting frequent stems", result["stem_counts_s"], unit="s"),
        row(f"index of neighbours, {result['hnsw_vectors']} vectors", result["hnsw_s"], unit="s"),
        row("requests at most", result["maximum"]["requests_per_s"], unit="1/s"),
        row("offered load", result["offered_rate"], unit="1/s"),
        row("errors", result["offered"]["errors"], target="0",
            holds=result["offered"]["errors"] == 0),
    ]  # fmt: skip
    for kind, took in result["offered"]["ms"].items():
        most = next(
            (ms for name, ms in TARGETS.items() if kind.startswith("recall, " + name)), None
        )
        for place in ("p50", "p95", "p99"):
            is_bound = most is not None and place == "p95"
            rows.append(
                row(
                    f"{kind}: {place}",
                    took[place],
                    unit="ms",
                    target=f"≤ {most} ms" if is_bound else "",
                    holds=took[place] <= most if is_bound and most is not None else None,
                )
            )
    evidence.write(
        "million",
        name="Many memories in one database",
        command=f"python -m scripts.bench.million --memories {result['memories']} --record",
        n=f"{result['growth'][-1]['memories']} memories of {USERS} users; "
        f"{result['offered']['requests']} requests by {CLIENTS} clients",
        rows=rows,
        notes=result["notes"] + " The clients run on the same cores as the service.",
        raw=result,
    )
    plot(result, evidence.DIRECTORY / "million.png")


def plot(result: dict[str, Any], path: Path) -> None:
    """Draw what a memory costs as the store grows: bytes, and the database's part of a write."""
    import matplotlib as mpl  # noqa: PLC0415  -- only those who draw need it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
    held = [one["memories"] for one in result["growth"]]
    left.plot(held, [one["bytes"] / one["memories"] / 1024 for one in result["growth"]], "o-")
    left.set(xlabel="memories in the database", ylabel="KiB per memory", ylim=(0, None))
    right.plot(held, [one["write_database_ms"] for one in result["growth"]], "o-")
    right.set(
        xlabel="memories in the database", ylabel="database CPU per write, ms", ylim=(0, None)
    )
    for axes in (left, right):
        axes.grid(visible=True, alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


async def _measure(installation: Installation, arguments: argparse.Namespace) -> dict[str, Any]:
    million = Million(installation, arguments.memories, topical.read(arguments.data))
    await million.load()
    await asyncio.to_thread(million.index)
    await million.ask(arguments.seconds)
    return million.result


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--memories", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--data", type=Path, default=topical.DATA, help="sets to recombine")
    parser.add_argument("--notes", default="", help="what else the machine did")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    with Installation(0) as installation:
        result = asyncio.run(_measure(installation, arguments))
    result |= {"notes": arguments.notes, "measured_on": datetime.now(UTC).date().isoformat()}
    if arguments.record:
        _record(result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
