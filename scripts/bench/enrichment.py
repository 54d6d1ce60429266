"""How fast the chain behind a write is without a language model, and what one more write costs.

    python -m scripts.bench.enrichment TEXTS [--sizes 1000,10000,100000] [--record]

``TEXTS`` is a file of conversations, one JSON object a line: ``{"id": …, "docs": [{"session": …,
"date": "1:56 pm on 8 May, 2023", "speaker": …, "text": …}]}``. Each is stored as one user's, with
vectors of a real sidecar; then a worker of its own process runs the chain while nobody writes,
and again for many users of one turn each. The cost of each task, and of a write to stores of
several sizes, is measured in this process: see ``task_cost`` and ``write_cost``.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from scripts.bench import conversations, evidence, task_cost, throughput, write_cost
from scripts.bench.postgres import measured_postgres

TARGET_PER_S = 50
TARGET_MIB = 200
PROGRAMS = ("worker", "sidecar", "database")
_SINGLE_TURNS = 200


def _measured(texts: str, sizes: list[int]) -> dict[str, Any]:
    """Measure everything, and print each part as soon as it is known."""
    told = conversations.read(texts)
    single = conversations.single_turns(told, _SINGLE_TURNS)
    with measured_postgres() as (server, directory):
        parts = {
            "whole": throughput.measure(server, "whole", told, directory),
            "single_turns": throughput.measure(server, "single_turns", single, directory),
            "task_cost": task_cost.measure(server, told),
            "write_cost": write_cost.measure(server, sizes),
        }
        found = {}
        for name, part in parts.items():
            found[name] = asyncio.run(part)
            print(json.dumps({name: found[name]}, indent=1), flush=True)
    return found


def _record(found: dict[str, Any]) -> None:
    whole, single = found["whole"], found["single_turns"]
    rate, size = whole["memories_per_s"], whole["worker_mib"]
    rows = [
        evidence.row(
            "the whole chain, no language model", rate, unit="memories/s",
            target=f"≥ {TARGET_PER_S}", holds=rate >= TARGET_PER_S,
        ),
        evidence.row(
            "memory of the worker, at most", size, unit="MiB",
            target=f"≤ {TARGET_MIB}", holds=size <= TARGET_MIB,
        ),
        evidence.row(
            "users of one turn each: a chain is run for one memory", single["memories_per_s"],
            unit="memories/s",
        ),
        *(
            evidence.row(f"processor time of the {program}", whole["cpu_ms"][program],
                         unit="ms/memory")
            for program in PROGRAMS
        ),
        evidence.row(
            "processor time of all of them for users of one turn each",
            round(sum(single["cpu_ms"][program] for program in PROGRAMS), 2), unit="ms/memory",
        ),
        *(
            evidence.row(f"`{name}`, processor time of all of them", _processors(cost),
                         unit="ms/memory")
            for name, cost in found["task_cost"].items()
        ),
    ]  # fmt: skip
    for cost in found["write_cost"]:
        rows += _size_rows(cost)
    evidence.write(
        "enrichment",
        name="Background organisation",
        command="python -m scripts.bench.enrichment TEXTS --record",
        n=f"{whole['memories']:,} turns of {whole['owners']} conversations; "
        f"{write_cost.WRITES} writes at each size",
        rows=rows,
        notes=NOTES,
        raw=found,
    )


def _processors(cost: dict[str, float]) -> float:
    """Return the processor time of all programs."""
    return round(sum(spent for name, spent in cost.items() if name != "clock"), 2)


def _size_rows(cost: dict[str, Any]) -> list[dict[str, Any]]:
    held = f"{cost['memories']:,}"
    renewed = "the same, day closed and profile renewed, shared among the memories between"
    return [
        evidence.row(f"one more write of 20, store of {held}", cost["all"], unit="ms/memory"),
        evidence.row(f"of it `linking.link`, store of {held}", cost["tasks"]["linking.link"],
                     unit="ms/memory"),
        evidence.row(f"{renewed} two renewals, store of {held}", cost["renewal"],
                     unit="ms/memory"),
    ]  # fmt: skip


NOTES = """\
Throughput: one worker process with its default settings, Postgres and the sidecar on the same \
cores, nobody else writing or asking. Processor time of a task: run alone. \
Cost of a write: processor time of this process and the database, mean over writes; texts and \
vectors made up."""


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("texts", type=Path, help="a file of conversations")
    parser.add_argument("--sizes", default="1000,10000,100000", help="'' for none")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",") if size]
    found = _measured(arguments.texts.read_text(), sizes)
    if arguments.record:
        _record(found)


if __name__ == "__main__":
    main()
