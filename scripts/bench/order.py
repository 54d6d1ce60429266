"""SORT: whether the service knows which of two segments of a text came first.

    python -m scripts.bench.order PATH [--excerpts 2] [--per-bin 8] [--record]

PATH is a text, or a directory of texts (*.txt). Excerpts are stored in an installation of its own,
as memories of 50 words; pairs of segments are then asked for their order, once with the memories in
order, once with their order and times removed.
"""

import argparse
import asyncio
import json
from pathlib import Path
from statistics import fmean
from typing import Any

from app.evaluation import service
from scripts.bench import evidence
from scripts.bench.load import Installation

LEAST = 0.97
"""Accuracy of every cell with the order kept."""
GUESSED = (0.4, 0.6)
"""Within which it must lie on the whole, with the order removed."""

Cells = list[dict[str, Any]]


async def measure(
    installation: Installation, path: Path, excerpts: int, per_bin: int
) -> dict[str, Cells]:
    """Ask for all pairs with the order kept and with it removed."""
    async with service.HttpApi(installation.url, installation.key) as api:
        return {
            name: await service.sort(
                api, path, excerpts=excerpts, per_bin=per_bin, is_ordered=is_ordered
            )
            for name, is_ordered in (("kept", True), ("removed", False))
        }


def rows(found: dict[str, Cells]) -> list[dict[str, Any]]:
    """Return the worst cell, the mean of all, and the accuracy with the order removed."""
    removed = found["removed"]
    guessed = sum(cell["accuracy"] * cell["n"] for cell in removed)
    share = round(guessed / sum(cell["n"] for cell in removed), 4)
    worst = min(cell["accuracy"] for cell in found["kept"])
    return [
        evidence.row(
            f"worst of {len(found['kept'])} cells", worst, target=f"≥ {LEAST}", holds=worst >= LEAST
        ),
        evidence.row(
            "mean of the cells",
            round(fmean(cell["accuracy"] for cell in found["kept"]), 4),
            baseline=0.5,
        ),
        evidence.row(
            "all pairs, order and times removed",
            share,
            target="≈ .5",
            holds=GUESSED[0] <= share <= GUESSED[1],
        ),
    ]


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--excerpts", type=int, default=2, help="of each text and length")
    parser.add_argument("--per-bin", type=int, default=8, help="pairs of each excerpt and bin")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    given = parser.parse_args()
    with Installation(0) as installation:
        found = asyncio.run(measure(installation, given.path, given.excerpts, given.per_bin))
    made = rows(found)
    if given.record:
        asked = {name: sum(cell["n"] for cell in cells) for name, cells in found.items()}
        texts = len(service.books(given.path))
        evidence.write(
            "order",
            name="Which came first (SORT)",
            command=f"python -m scripts.bench.order PATH --excerpts {given.excerpts} "
            f"--per-bin {given.per_bin} --record",
            n=f"{asked['kept']} pairs of {texts} novels; {asked['removed']} with the order removed",
            rows=made,
            notes="Excerpts are drawn by our own generator, so they are not the published ones. "
            "Chance is .5. With the order removed, pairs within one memory are left out.",
            raw=found,
        )
    print(json.dumps(made, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
