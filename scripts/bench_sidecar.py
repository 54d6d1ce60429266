#!/usr/bin/env python3
"""Measure the sidecar beside sentence-transformers, in turns, on the same texts.

    scripts/bench_sidecar.py TEXTS.jsonl [--texts 600] [--rounds 5] [--record]

TEXTS.jsonl holds one conversation a line: {"docs": [{"speaker", "text"}], "queries": [{"q"}]}.
Needs the extras `sidecar` and `torch`. The sidecar is asked over HTTP, as the api asks it;
sentence-transformers computes in this process and pays for no HTTP.
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from app.embeddings.client import HttpEmbedder  # noqa: E402
from app.kit.settings import EmbeddingSettings  # noqa: E402
from app.sidecar.encoders import weights  # noqa: E402
from app.sidecar.settings import SidecarSettings  # noqa: E402
from scripts.bench import evidence  # noqa: E402

QUERIES = 30
TARGETS: dict[str, tuple[str, float]] = {
    "sidecar: query p50, ms": ("≤ 7", 7),
    "texts/s over theirs": ("≥ 1", 1),
    "resident after the run, MB": ("≤ 700", 700),
    "lowest cosine between them": ("≥ 0.9999", 0.9999),
}


class Library(Protocol):
    """What is used of sentence-transformers, which need not be installed to read this."""

    def encode(
        self, texts: str | list[str], *, batch_size: int = 64, normalize_embeddings: bool
    ) -> NDArray[np.float32]:
        """Return vectors."""


@dataclass
class Figures:
    """One value a round and figure."""

    rounds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Note a value."""
        self.rounds.setdefault(name, []).append(value)

    def __str__(self) -> str:
        """Return a table of the median and the range over the rounds."""
        lines = ["| figure | median | lowest | highest |", "|---|---|---|---|"]
        for name, values in self.rounds.items():
            low, middle, high = np.percentile(values, [0, 50, 100])
            lines.append(f"| {name} | {_short(middle)} | {_short(low)} | {_short(high)} |")
        return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:.7f}" if 0.99 < value < 1 else f"{value:.2f}"


def read(path: Path, count: int) -> tuple[list[str], list[str]]:
    """Return turns and questions."""
    conversations = [json.loads(line) for line in path.read_text().splitlines()]
    turns = [f"{doc['speaker']}: {doc['text']}" for each in conversations for doc in each["docs"]]
    questions = [query["q"] for each in conversations for query in each["queries"]]
    step = max(1, len(turns) // count)
    return turns[::step][:count], questions[:: max(1, len(questions) // QUERIES)][:QUERIES]


def start(folder: Path, figures: Figures, name: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start the sidecar and wait until it is ready; note how long that took."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        "APP_SIDECAR__PORT": str(port),
        "APP_SIDECAR__BACKEND": "onnx",
        "APP_SIDECAR__CACHE_DIR": str(folder),
        "APP_SIDECAR__LOG_LEVEL": "warning",
        "MALLOC_ARENA_MAX": "2",
    }
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "app.sidecar"], env=environment, cwd=ROOT)
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz/ready").is_success:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    figures.add(name, time.perf_counter() - started)
    return process, port


def resident(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def processor_seconds(pid: int) -> float:
    """Return the processor time a process has used: what others' load does not stretch much."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def query(embedder: HttpEmbedder, questions: Sequence[str]) -> NDArray[np.float64]:
    """Return the milliseconds of each question, one after the other."""
    times = []
    for question in questions:
        started = time.perf_counter()
        await embedder.embed_query(question)
        times.append(time.perf_counter() - started)
    return np.array(times) * 1e3


async def one_round(
    embedder: HttpEmbedder,
    library: Library,
    pid: int,
    turns: list[str],
    questions: list[str],
    figures: Figures,
) -> None:
    """Measure both, one after the other."""
    times = await query(embedder, questions)
    figures.add("sidecar: query p50, ms", float(np.median(times)))
    figures.add("sidecar: query p95, ms", float(np.percentile(times, 95)))
    started, spent = time.perf_counter(), processor_seconds(pid)
    vectors = await embedder.embed(turns)
    ours = len(turns) / (time.perf_counter() - started)
    spent = processor_seconds(pid) - spent
    figures.add("sidecar: processor ms a text", spent / len(turns) * 1e3)
    figures.add("sidecar: texts/s", ours)

    alone = []
    for question in questions:
        started = time.perf_counter()
        library.encode(question, normalize_embeddings=True)
        alone.append((time.perf_counter() - started) * 1e3)
    figures.add("sentence-transformers: query p50, ms", float(np.median(alone)))
    started, spent = time.perf_counter(), time.process_time()
    expected = library.encode(turns, batch_size=64, normalize_embeddings=True)
    theirs = len(turns) / (time.perf_counter() - started)
    spent = time.process_time() - spent
    figures.add("sentence-transformers: processor ms a text", spent / len(turns) * 1e3)
    figures.add("sentence-transformers: texts/s", theirs)
    figures.add("texts/s over theirs", ours / theirs)
    figures.add("lowest cosine between them", float((vectors * expected).sum(axis=1).min()))

    bulk = asyncio.create_task(embedder.embed(turns))
    await asyncio.sleep(0.3)
    times = await query(embedder, questions[:20])
    await bulk
    figures.add("sidecar: query p50 during bulk, ms", float(np.median(times)))


async def measure(
    port: int, pid: int, turns: list[str], questions: list[str], rounds: int
) -> Figures:
    """Run all rounds."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    folder = weights.default_model_dir(SidecarSettings())
    library = SentenceTransformer(str(folder), device="cpu")
    library.encode(turns[:64], batch_size=64)
    embedder = HttpEmbedder(EmbeddingSettings(url=f"http://127.0.0.1:{port}/v1"))
    await query(embedder, questions)
    figures = Figures()
    for _ in range(rounds):
        await one_round(embedder, library, pid, turns, questions, figures)
    await embedder.aclose()
    return figures


def record(starts: Figures, figures: Figures, texts: int) -> None:
    """Keep the medians in docs/evidence."""
    library = "sentence-transformers: "
    rows = []
    for name, values in {**starts.rounds, **figures.rounds}.items():
        if name.startswith(library):
            continue
        beside = figures.rounds.get(name.replace("sidecar: ", library))
        value, baseline = (
            None if each is None else round(float(np.median(each)), 7) for each in (values, beside)
        )
        assert value is not None
        wanted, bound = TARGETS.get(name, ("", None))
        holds = None if bound is None else (value <= bound if "≤" in wanted else value >= bound)
        figure, _, unit = name.removeprefix("sidecar: ").partition(", ")
        rows.append(
            evidence.row(figure, value, unit=unit, target=wanted, baseline=baseline, holds=holds)
        )
    evidence.write(
        "sidecar",
        name="Sidecar, beside sentence-transformers",
        command="python -m scripts.bench_sidecar TEXTS.jsonl --record",
        n=f"{texts} texts, {len(figures.rounds['texts/s over theirs'])} rounds",
        rows=rows,
        notes="Medians over the rounds; both on the same processors, in turns.",
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--texts", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="keep the figures as evidence")
    arguments = parser.parse_args()
    turns, questions = read(arguments.file, arguments.texts)
    starts = Figures()
    with tempfile.TemporaryDirectory() as folder:
        process, _ = start(Path(folder), starts, "first start (graph is built), s")
        process.terminate()
        process.wait()
        process, port = start(Path(folder), starts, "second start (graph is cached), s")
        starts.add("resident after start, MB", resident(process))
        try:
            figures = asyncio.run(measure(port, process.pid, turns, questions, arguments.rounds))
            starts.add("resident after the run, MB", resident(process))
        finally:
            process.terminate()
            process.wait()
    if arguments.record:
        record(starts, figures, len(turns))
    load = os.getloadavg()[0]
    sys.stdout.write(
        f"{len(turns)} texts, {len(questions)} queries, {arguments.rounds} rounds; "
        f"{os.cpu_count()} cores, {platform.machine()}, load at the end {load:.1f}\n\n"
        f"{starts}\n\n{figures}\n"
    )


if __name__ == "__main__":
    main()
