"""Turn a side-by-side run of memory systems into evidence.

    python -m scripts.bench.against RESULT.json [--peer mem0_peer]

RESULT.json is what a side-by-side benchmark wrote: a list with one entry a system (`system`,
`turns`, `questions`, `ingest_turns_per_s`, `search_ms`, `r@10`, `ndcg@10`), measured in one run.
The first entry that is not ours is what we are compared with.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from scripts.bench import evidence

OURS = "remembrancer"


def _ratio(ours: float, theirs: float) -> float:
    return round(ours / theirs, 3)


def against_baseline(ours: dict[str, Any], theirs: dict[str, Any]) -> list[dict[str, Any]]:
    """Return our figures beside those of the simple system."""
    rows = []
    for key, name in (("r@10", "recall@10"), ("ndcg@10", "NDCG@10")):
        mine, other = round(ours[key], 4), round(theirs[key], 4)
        rows.append(
            evidence.row(
                name, mine, target="≥ baseline - .01", baseline=other, holds=mine >= other - 0.01
            )
        )
    p50, p95 = ours["search_ms"]["p50"], ours["search_ms"]["p95"]
    other = theirs["search_ms"]["p50"]
    ingest = _ratio(ours["ingest_turns_per_s"], theirs["ingest_turns_per_s"])
    return [
        *rows,
        evidence.row(
            "recall p50 over HTTP", p50, unit="ms", target="≤ baseline in process",
            baseline=other, holds=p50 <= other,
        ),
        evidence.row(
            "recall p95 over HTTP", p95, unit="ms", target="≤ 2 x own p50", holds=p95 <= 2 * p50
        ),
        evidence.row(
            "ingest, searchable by vector", ours["ingest_turns_per_s"], unit="turns/s",
            target=f"≥ 0.9 x baseline (is {ingest})", baseline=theirs["ingest_turns_per_s"],
            holds=ingest >= 0.9,
        ),
    ]  # fmt: skip


def against_peer(ours: dict[str, Any], theirs: dict[str, Any]) -> list[dict[str, Any]]:
    """Return our figures beside those of a peer."""
    ingest = _ratio(ours["ingest_turns_per_s"], theirs["ingest_turns_per_s"])
    latency = _ratio(ours["search_ms"]["p50"], theirs["search_ms"]["p50"])
    return [
        evidence.row(
            "ingest", ours["ingest_turns_per_s"], unit="turns/s",
            target=f"≥ 3 x peer (is {ingest})", baseline=theirs["ingest_turns_per_s"],
            holds=ingest >= 3,
        ),
        evidence.row(
            "recall p50", ours["search_ms"]["p50"], unit="ms",
            target=f"≤ 0.6 x peer (is {latency})", baseline=theirs["search_ms"]["p50"],
            holds=latency <= 0.6,
        ),
        evidence.row("recall@10", round(ours["r@10"], 4), baseline=round(theirs["r@10"], 4)),
    ]  # fmt: skip


def main() -> None:
    """Write the evidence file of one run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("--peer")
    parser.add_argument("--notes", default="", help="what else the reader must know")
    arguments = parser.parse_args()
    results = {entry["system"]: entry for entry in json.loads(arguments.result.read_text())}
    ours, other = results[OURS], arguments.peer or "baseline"
    theirs = results[other]
    rows = against_peer(ours, theirs) if arguments.peer else against_baseline(ours, theirs)
    raw = [{k: v for k, v in entry.items() if k != "rows"} for entry in (theirs, ours)]
    evidence.write(
        f"against_{other.removesuffix('_peer')}",
        name=f"Side by side with {other.removesuffix('_peer')}",
        command=f"recall_bench.py locomo_dev.jsonl --system {other} --system {OURS}, "
        "then python -m scripts.bench.against",
        n=f"{ours['questions']} questions over {ours['turns']} turns",
        rows=rows,
        notes="One run, one machine, no language model; ours over HTTP, the other in process. "
        + arguments.notes,
        raw=raw,
    )


if __name__ == "__main__":
    main()
