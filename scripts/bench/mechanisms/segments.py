"""EM-LLM and HCAM: are events cut where sessions begin, and what do their recipes find and cost."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from typing import Any

from scripts.bench import evidence
from scripts.bench.mechanisms import datasets
from scripts.bench.mechanisms.datasets import Conversation
from scripts.bench.mechanisms.figures import difference, ndcg_at, recall_at
from scripts.bench.mechanisms.outcome import Bench, Outcome
from scripts.bench.mechanisms.service import Service

_START = datetime(2026, 1, 5, 12, tzinfo=UTC)
_APART = timedelta(seconds=20)
_TOLERANCE = 2
_MARGIN = 0.06
_SETS = ("locomo_dev", "beam_dev")
_RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    "contiguous": {"recipe": "contiguous"},
    "hierarchical, 8 segments": {"recipe": "hierarchical", "segments": 8},
    "hierarchical, 16 segments": {"recipe": "hierarchical", "segments": 16},
}
_OTHERS = ("linking", "thoughts", "summaries", "profiles", "facts")


def measure(bench: Bench) -> Outcome:
    """Cut conversations without their session borders; then ask by each recipe, with them."""
    rows, raw, asked = [], {}, []
    works = True
    for name in _SETS:
        held = datasets.conversations(bench.data / f"{name}.jsonl")
        found, uniform = _boundaries(bench, name, held)
        is_target = name == "locomo_dev"
        holds = fmean(found) >= fmean(uniform) + _MARGIN if is_target else None
        works = works and holds is not False
        rows.append(
            evidence.row(
                f"{name}: F1 of boundaries against session starts, within {_TOLERANCE} turns; "
                "baseline: as many at equal distances",
                round(fmean(found), 4), target=f"≥ baseline + {_MARGIN}" if is_target else "",
                baseline=round(fmean(uniform), 4), holds=holds,
            )
        )  # fmt: skip
        figures = _recipes(bench, name, held)
        rows += _rows(name, figures)
        raw[name] = {
            "f1": found,
            "uniform": uniform,
            "recipes": {recipe: _summary(one) for recipe, one in figures.items()},
        }
        questions = sum(len(one.questions) for one in held)
        turns = sum(len(one.items) for one in held)
        asked.append(f"{name}: {len(held)} conversations of {turns} turns, {questions} questions")
    notes = (
        "For the boundaries sessions and pauses are hidden: one stream, a turn every 20 seconds. "
        "The block of four turns and modularity were chosen on these two sets. BEAM has three "
        "sessions a chat or so: its topics change within them. The recipes are asked with "
        "sessions; milliseconds are those of whole requests, in turns, on a machine that had other "
        "work. Neighbours and segments bring surroundings: they are not expected to find more."
    )
    return Outcome("Segments (EM-LLM, HCAM)", "; ".join(asked), works, rows, notes, raw)


def _switch(bench: Bench, user: str) -> None:
    mechanisms = {**dict.fromkeys(_OTHERS, False), "segments": bench.is_on}
    bench.service.call("PUT", f"/v1/users/{user}/settings", {"mechanisms": mechanisms})


def _boundaries(
    bench: Bench, name: str, held: Sequence[Conversation]
) -> tuple[list[float], list[float]]:
    """Return F1 by conversation: of the segments, and of as many borders at equal distances."""
    found, uniform = [], []
    for one in held:
        user = f"borders-{name}-{one.name}"
        _switch(bench, user)
        items = [
            {
                "content": item["content"],
                "name": item["name"],
                "role": item["role"],
                "occurred_at": (_START + place * _APART).isoformat(),
            }
            for place, item in enumerate(one.items)
        ]
        places = {memory: n for n, memory in enumerate(bench.service.store(user, items))}
        sessions = [item["session_id"] for item in one.items]
        true = [n for n in range(1, len(sessions)) if sessions[n] != sessions[n - 1]]
        cut = [places[segment["first_id"]] for segment in _segments(bench.service, user)]
        found.append(f1([place for place in cut if place], true))
        step = len(sessions) / (len(true) + 1)
        uniform.append(f1([round(n * step) for n in range(1, len(true) + 1)], true))
    return found, uniform


def _segments(service: Service, user: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = service.call("GET", f"/v1/users/{user}/segments?limit=200{cursor}")
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = "&cursor=" + page["next_cursor"]


def f1(found: Sequence[int], true: Sequence[int]) -> float:
    """Return the harmonic mean of precision and recall; a border is found once at most."""
    left = set(true)
    hits = 0
    for place in sorted(found):
        near = [one for one in left if abs(one - place) <= _TOLERANCE]
        if near:
            left.remove(min(near, key=lambda one: (abs(one - place), one)))
            hits += 1
    return 2 * hits / (len(found) + len(true)) if found or true else 1.0


Figures = dict[str, list[float]]
"""Recall, gain and milliseconds, question by question."""


def _recipes(bench: Bench, name: str, held: Sequence[Conversation]) -> dict[str, Figures]:
    """Return what each recipe found and cost; each question is asked by all of them in turn."""
    figures: dict[str, Figures] = {
        recipe: {"recall@10": [], "NDCG@10": [], "ms": []} for recipe in _RECIPES
    }
    for one in held:
        user = f"{name}-{one.name}"
        _switch(bench, user)
        bench.service.store(user, one.items)
        for question in one.questions:
            for recipe, members in _RECIPES.items():
                started = time.perf_counter()
                hits = bench.service.recall(user, question.text, limit=10, **members)
                figures[recipe]["ms"].append((time.perf_counter() - started) * 1e3)
                docs = [hit["metadata"]["doc"] for hit in hits]
                figures[recipe]["recall@10"].append(recall_at(10, docs, question.gold))
                figures[recipe]["NDCG@10"].append(ndcg_at(10, docs, question.gold))
    return figures


def _rows(name: str, figures: dict[str, Figures]) -> list[dict[str, Any]]:
    rows = []
    default = figures["default"]
    for recipe in list(_RECIPES)[1:]:
        one = figures[recipe]
        change = difference(default["recall@10"], one["recall@10"])
        rows += [
            evidence.row(
                f"{name}: recall@10 of {recipe}: {change}", round(fmean(one["recall@10"]), 4),
                baseline=round(fmean(default["recall@10"]), 4),
            ),
            evidence.row(
                f"{name}: p50 of {recipe}", round(median(one["ms"]), 1), unit="ms",
                baseline=round(median(default["ms"]), 1),
            ),
        ]  # fmt: skip
    return rows


def _summary(one: Figures) -> dict[str, float]:
    means = {name: round(fmean(one[name]), 4) for name in ("recall@10", "NDCG@10")}
    ordered = sorted(one["ms"])
    return {
        **means,
        "p50_ms": round(median(ordered), 2),
        "p95_ms": round(ordered[int(0.95 * len(ordered))], 2),
    }
