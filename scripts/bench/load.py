"""Throughput and latency of a whole installation over HTTP.

    python -m scripts.bench.load [--seconds 60] [--record]

Starts an installation of its own (as scripts/serve does), stores 200 users with 500 memories
each, then runs 16 clients: first as fast as they can, for the maximum; then at half of that rate,
for the latencies. Needs locust in an environment of its own: set BENCH_LOCUST to its program.
"""

import argparse
import asyncio
import csv
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from pydantic import SecretStr

from app.embeddings.client import HttpEmbedder
from app.kit.database import Database
from app.kit.settings import DatabaseSettings, EmbeddingSettings
from app.tenants.schemas import Principal
from scripts.bench import evidence, seed

CLIENTS = 16
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """All processes of one installation, with data of its own."""

    def __init__(self, users: int) -> None:
        self.users = users
        self.directory = Path(tempfile.mkdtemp(prefix="remembrancer-load-"))
        self.directory.chmod(0o711)
        self.key = "rk_" + secrets.token_urlsafe(32)
        self.port, self.sidecar_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Installation":
        """Start and wait until it is ready."""
        environment = os.environ | {
            "APP_DATA_DIR": str(self.directory / "data"),
            "APP_PORT": str(self.port),
            "APP_SIDECAR__PORT": str(self.sidecar_port),
            "APP_BOOTSTRAP_KEY": self.key,
            "APP_LOG__LEVEL": "warning",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"], env=environment, cwd=ROOT
        )
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/healthz/ready", timeout=2).status_code == 200:
                    return self
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        msg = "the installation did not get ready"
        raise RuntimeError(msg)

    def __exit__(self, *_: object) -> None:
        """Stop it and remove its data."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)

    def environment_of(self, program: str) -> dict[str, str]:
        """Return the environment of one of its processes."""
        raw = Path(f"/proc/{self.pid_of(program)}/environ").read_text()
        return dict(entry.split("=", 1) for entry in raw.split("\0") if "=" in entry)

    def pid_of(self, program: str) -> int:
        """Return the process that runs ``program``."""
        own = self.process.pid
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_text()
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if program in command and parent == own:
                return int(entry.name)
        msg = f"no process runs {program}"
        raise RuntimeError(msg)

    def resident_mb(self, program: str) -> float:
        """Return the resident memory of one of its processes."""
        status = Path(f"/proc/{self.pid_of(program)}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return round(int(line.split()[1]) / 1024, 1)


async def _fill(installation: Installation, users: int, memories: int) -> float:
    environment = installation.environment_of("app.main:create_app")
    database = Database(environment["APP_DATABASE_URL"], DatabaseSettings(pool_size=2))
    settings = EmbeddingSettings(
        url=environment["APP_EMBEDDINGS__URL"],
        key=SecretStr(environment["APP_EMBEDDINGS__KEY"]),
        timeout_s=300,
    )
    embedder = HttpEmbedder(settings)
    tenant = UUID("00000000-0000-7000-8000-000000000001")
    principal = Principal(tenant, UUID(int=2), frozenset({"read", "write"}))
    owners = [(f"load-{number}", memories) for number in range(users)]
    spent = await seed.fill(database, embedder, principal, owners)
    await embedder.aclose()
    await database.close()
    return spent


def _run(installation: Installation, name: str, seconds: int, rate: float) -> dict[str, Any]:
    """Run the clients; return requests a second and latencies by kind of request."""
    prefix = installation.directory / name
    environment = os.environ | {
        "BENCH_KEY": installation.key,
        "BENCH_OWNERS": str(installation.users),
        "BENCH_RATE": str(rate / CLIENTS),
        "PYTHONPATH": str(ROOT),
    }
    command = [
        os.environ.get("BENCH_LOCUST", "locust"), "-f", str(ROOT / "scripts/bench/locustfile.py"),
        "--headless", "-u", str(CLIENTS), "-r", str(CLIENTS), "-t", f"{seconds}s",
        "-H", installation.url, "--csv", str(prefix), "--only-summary", "--reset-stats",
    ]  # fmt: skip
    subprocess.run(command, env=environment, check=False, timeout=seconds + 60)  # noqa: S603
    with Path(f"{prefix}_stats.csv").open() as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    return {
        kind: {
            "requests_per_s": round(float(row["Requests/s"]), 1),
            "requests": int(row["Request Count"]),
            "errors": int(row["Failure Count"]),
            "p50_ms": float(row["50%"]),
            "p95_ms": float(row["95%"]),
            "p99_ms": float(row["99%"]),
        }
        for kind, row in rows.items()
    }


def _record(result: dict[str, Any]) -> None:
    """Keep a result as evidence."""
    row = evidence.row
    resident = result["resident_mb"]
    errors = sum(result[run]["Aggregated"]["errors"] for run in ("maximum", "offered"))
    total = sum(result[run]["Aggregated"]["requests"] for run in ("maximum", "offered"))
    rows = [
        row("requests at most", result["maximum"]["Aggregated"]["requests_per_s"], unit="1/s"),
        row("offered load", result["offered_rate"], unit="1/s"),
        *(
            row(f"{kind} {name} at the offered load", result["offered"][kind][f"{name}_ms"],
                unit="ms")
            for kind in ("recall", "write")
            for name in ("p50", "p95", "p99")
        ),
        row("errors", errors, target="0", holds=errors == 0),
        row("api resident", resident["api"], unit="MB", target="≤ 200 MB",
            holds=resident["api"] <= 200),
        row("worker resident", resident["worker"], unit="MB", target="≤ 200 MB",
            holds=resident["worker"] <= 200),
        row("sidecar resident", resident["sidecar"], unit="MB", target="≤ 700 MB",
            holds=resident["sidecar"] <= 700),
    ]  # fmt: skip
    evidence.write(
        "load",
        name="Load over HTTP",
        command="python -m scripts.bench.load --record",
        n=f"{total} requests by {CLIENTS} clients, 80 % recall and 20 % write, "
        f"{result['users']} users with {result['memories_per_user']} memories",
        rows=rows,
        notes="The clients run on the same cores as the service.",
        raw=result,
    )


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--memories", type=int, default=500)
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    with Installation(arguments.users) as installation:
        fill_s = asyncio.run(_fill(installation, arguments.users, arguments.memories))
        _run(installation, "warm", 10, 0)
        maximum = _run(installation, "maximum", arguments.seconds, 0)
        half = maximum["Aggregated"]["requests_per_s"] / 2
        offered = _run(installation, "offered", arguments.seconds, half)
        result = {
            "clients": CLIENTS,
            "users": arguments.users,
            "memories_per_user": arguments.memories,
            "seconds": arguments.seconds,
            "seconds_to_fill": round(fill_s, 1),
            "maximum": maximum,
            "offered_rate": round(half, 1),
            "offered": offered,
            "resident_mb": {
                "api": installation.resident_mb("app.main:create_app"),
                "worker": installation.resident_mb("app.cli"),
                "sidecar": installation.resident_mb("app.sidecar.main:create_app"),
            },
            "measured_on": datetime.now(UTC).date().isoformat(),
        }
    if arguments.record:
        _record(result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
