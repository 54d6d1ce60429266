"""MemoryBank's fading over ten days of its own users, with recall and without.

    python -m scripts.bench.fading --data DIRECTORY [--off] [--record]

Each user's days are told by a clock of our own, in a throw-away database; every evening the same
question is asked. With ``--off`` recalls strengthen nothing: what is in use fades like the rest,
and the program ends with 1.
"""

import argparse
import asyncio
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from app.embeddings.fake import FakeEmbedder
from app.kit import logging
from app.kit.settings import LogSettings
from scripts.bench import evidence
from scripts.demonstration import story
from scripts.demonstration.house import Clock, House, opened

_NOON, _EVENING = time(12), time(20)
_IN_USE = 3


class Life(NamedTuple):
    """What a user's ten days left."""

    by_day: dict[int, float]
    """Mean retention of what was never recalled, by its age in days."""
    error: float
    """The most that a retention differs from e^(-t/S)."""
    in_use: float
    """The share of what was recalled each evening that is above the threshold."""
    unused: float
    """The same share of all else."""


async def _live(house: House, clock: Clock, told: story.Story, *, reinforce: bool) -> Life:
    days = sorted(told)
    used: set[str] = set()
    recalls: dict[str, int] = {}
    for day in days:
        clock.set(day, _NOON)
        items = [
            {"content": turn.text, "role": turn.role, "name": turn.name,
             "session_id": day.isoformat(), "metadata": {"n": number}}
            for number, turn in enumerate(told[day])
        ]  # fmt: skip
        body = {"user_id": house.user, "infer": "none", "items": items}
        if items:
            await house.call("POST", "/v1/memories", body)
        clock.set(day, _EVENING)
        asked = {
            "user_id": house.user, "query": told[days[0]][0].text, "limit": _IN_USE,
            "recipe": "lexical", "reinforce": reinforce, "retention": False,
            "filters": {"session_id": {"eq": days[0].isoformat()}},
        }  # fmt: skip
        hits = (await house.call("POST", "/v1/recall", asked))["hits"]
        await house.reinforce()
        used = {hit["id"] for hit in hits}
        for one in used if reinforce else ():
            recalls[one] = recalls.get(one, 0) + 1
    clock.set(days[-1] + timedelta(days=1), _NOON)
    return _account(await _retained(house, clock), used, recalls, days[-1] + timedelta(days=1))


async def _retained(house: House, clock: Clock) -> list[dict[str, Any]]:
    """Return everything that can fade: a preview with a threshold of 1 shows it all."""
    policy = {"archiving": "threshold", "threshold": 1.0}
    body: dict[str, Any] = {
        "user_id": house.user, "at": clock.now().isoformat(), "policy": policy, "limit": 200,
    }  # fmt: skip
    items: list[dict[str, Any]] = []
    while True:
        page = await house.call("POST", "/v1/forgetting:preview", body)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        body["cursor"] = page["next_cursor"]


def _account(
    items: Sequence[dict[str, Any]], used: set[str], recalls: dict[str, int], today: date
) -> Life:
    ages: dict[int, list[float]] = {}
    errors, kept, left = [], [], []
    for one in items:
        strength = 1 + recalls.get(one["id"], 0)
        errors.append(abs(one["retention"] - math.exp(-_elapsed(one, today) / strength)))
        if one["id"] in used:
            kept.append(one["retention"] >= 0.05)
        else:
            left.append(one["retention"] >= 0.05)
            age = (today - datetime.fromisoformat(one["occurred_at"]).date()).days
            ages.setdefault(age, []).append(one["retention"])
    by_day = {age: fmean(values) for age, values in sorted(ages.items())}
    return Life(by_day, max(errors), fmean(kept), fmean(left))


def _elapsed(one: dict[str, Any], today: date) -> float:
    """Return days since the last recall, or since it was stored, by what we did ourselves."""
    end = datetime.combine(today, _NOON, UTC)
    if one["recalled_at"] is not None:
        last = datetime.combine(today - timedelta(days=1), _EVENING, UTC)
        return (end - last) / timedelta(days=1)
    return (end - datetime.fromisoformat(one["occurred_at"])) / timedelta(days=1)


async def _measure(
    told: Mapping[str, story.Story], directory: Path, *, reinforce: bool
) -> list[Life]:
    first = min(told)
    clock = Clock(datetime.combine(min(told[first]), time(), UTC))
    with clock.ruling():
        async with opened(directory, FakeEmbedder(), first) as house:
            return [
                await _live(house.of(user.replace(" ", "-")), clock, told[user],
                            reinforce=reinforce)
                for user in told
            ]  # fmt: skip


def _rows(lives: Sequence[Life], *, others: float) -> list[dict[str, Any]]:
    in_use = round(fmean(life.in_use for life in lives), 4)
    error = max(life.error for life in lives)
    ages = sorted({age for life in lives for age in life.by_day})
    return [
        evidence.row(
            "retained of what is recalled each evening (baseline: of all else)", in_use,
            target="1.0", baseline=others, holds=in_use == 1,
        ),
        evidence.row("most that a retention differs from e^(-t/S)", float(f"{error:.1e}"),
                     target="≤ 1e-9", holds=error <= 1e-9),
        *(evidence.row(f"retention after {age} days",
                       round(fmean(life.by_day[age] for life in lives if age in life.by_day), 6),
                       target=f"e^-{age} = {math.exp(-age):.6f}") for age in ages),
    ]  # fmt: skip


def main() -> None:
    """Live all users' days and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="where the data sets lie")
    parser.add_argument("--off", action="store_true", help="let recalls strengthen nothing")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    logging.configure(LogSettings(level="warning"), process="bench")
    directory = Path(tempfile.mkdtemp(prefix="remembrancer-fading-"))
    directory.chmod(0o711)
    bank = arguments.data / "memorybank" / "memory_bank_en.json"
    users = [name.strip() for name in json.loads(bank.read_text("utf-8"))]
    told = {user: story.read(bank, user) for user in users}
    try:
        lives = asyncio.run(_measure(told, directory, reinforce=not arguments.off))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    rows = _rows(lives, others=round(fmean(life.unused for life in lives), 4))
    if arguments.record and not arguments.off:
        evidence.write(
            "mechanism_forgetting",
            name="Fading (MemoryBank)",
            command="python -m scripts.bench.fading --data DIRECTORY --record",
            n=f"{len(lives)} users of ten days",
            rows=rows,
            notes="Retained: at least .05 of it, the threshold of archiving.",
            raw=[life._asdict() for life in lives],
        )
    print(json.dumps(rows, indent=1))
    sys.exit(0 if all(row.get("holds", True) for row in rows) else 1)


if __name__ == "__main__":
    main()
