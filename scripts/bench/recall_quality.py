"""How good recall is, by recipe and by feature of the second stage.

    python -m scripts.bench.recall_quality FILE... [--queries 300] [--record]

A file holds conversations with questions and the turns that answer them, one JSON object a line:
`{"id", "docs": [{"id", "session", "date", "speaker", "text"}], "queries": [{"q", "gold", "cat"}]}`.
Turns are kept verbatim in an installation of its own, with nothing derived from them; every
question is then asked once by each recipe, and once more for the ablation. ``--record`` keeps what
was recorded of other files.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from app.retrieval.kernel.dates import DAY_WEIGHT
from scripts.bench import evidence
from scripts.bench.load import Installation
from scripts.bench.mechanisms.datasets import Conversation, Question, conversations
from scripts.bench.mechanisms.figures import difference, ndcg_at, recall_at
from scripts.bench.mechanisms.service import Service

RECIPES = ("default", "fused", "lexical", "dense")
LEAST = {"nq_pool": 0.98}
"""Recall@10 that a set must keep, whatever it is compared with."""
_LIMIT = 20
_DEPTH = 80
"""Hits that the ablation orders anew."""
_MARK = "<!-- Below: written by python -m scripts.bench.recall_quality --record -->"
_FIGURES: dict[str, Callable[[Sequence[str], frozenset[str]], float]] = {
    "recall@5": partial(recall_at, 5),
    "recall@10": partial(recall_at, 10),
    "recall@20": partial(recall_at, 20),
    "NDCG@10": partial(ndcg_at, 10),
}

Hits = list[dict[str, Any]]
Figures = dict[str, list[float]]
"""Each figure, question by question."""


class Result(NamedTuple):
    """What one file gave."""

    name: str
    turns: int
    questions: int
    recipes: dict[str, dict[str, float]]
    default_minus_fused: dict[str, tuple[float, float, float]]
    without: dict[str, dict[str, tuple[float, float, float]]]
    """For each feature, what each figure changes by when it is left out."""


def measure(service: Service, file: Path, queries: int | None) -> Result:
    """Store the conversations of a file, ask its questions, and compare."""
    found = [one._replace(questions=one.questions[:queries]) for one in conversations(file)]
    for one in found:
        service.store(_user(file, one), one.items, infer="none")
    by_recipe = {
        recipe: _figures(
            (_docs(hits), question)
            for hits, question in _asked(service, file, found, recipe=recipe, limit=_LIMIT)
        )
        for recipe in RECIPES
    }
    explained = _asked(service, file, found, limit=_DEPTH, explain=True)
    return Result(
        name=file.stem,
        turns=sum(len(one.items) for one in found),
        questions=len(explained),
        recipes={recipe: _means(figures) for recipe, figures in by_recipe.items()},
        default_minus_fused=_differences(by_recipe["fused"], by_recipe["default"]),
        without=_ablation(explained),
    )


def _user(file: Path, conversation: Conversation) -> str:
    return f"{file.stem}-{conversation.name}"


def _asked(
    service: Service, file: Path, found: list[Conversation], **members: object
) -> list[tuple[Hits, Question]]:
    return [
        (service.recall(_user(file, one), question.text, **members), question)
        for one in found
        for question in one.questions
    ]


def _docs(hits: Hits) -> list[str]:
    return [hit["metadata"]["doc"] for hit in hits]


def _figures(ranked: Iterable[tuple[list[str], Question]]) -> Figures:
    held = list(ranked)
    return {
        name: [figure(docs, question.gold) for docs, question in held]
        for name, figure in _FIGURES.items()
    }


def _means(figures: Figures) -> dict[str, float]:
    return {name: round(fmean(values), 4) for name, values in figures.items()}


def _differences(old: Figures, new: Figures) -> dict[str, tuple[float, float, float]]:
    return {name: difference(old[name], new[name]) for name in ("recall@10", "NDCG@10")}


def _ablation(asked: list[tuple[Hits, Question]]) -> dict[str, Any]:
    """Order the hits of each question anew by the score without one feature after the other."""
    names = sorted({name for hits, _ in asked for hit in hits for name in _features(hit)})
    whole = _figures((_without(None, hits), question) for hits, question in asked)
    return {
        name: _differences(
            whole, _figures((_without(name, hits), question) for hits, question in asked)
        )
        for name in names
    }


def _without(name: str | None, hits: Hits) -> list[str]:
    """Return documents by the score that hits would have without a feature."""
    return _docs(sorted(hits, key=lambda hit: -_score(hit, name)))


def _score(hit: dict[str, Any], without: str | None) -> float:
    explained = hit["explain"]
    score = sum(value for name, value in _features(hit).items() if name != without)
    if explained["on_day"] is not None:
        score = (score + DAY_WEIGHT * explained["on_day"]) / (1 + DAY_WEIGHT)
    return float(score * explained["factor"])


def _features(hit: dict[str, Any]) -> dict[str, float]:
    features: dict[str, float] = hit["explain"]["features"]
    return features


def rows(result: Result) -> list[dict[str, Any]]:
    """Return a result as rows of evidence."""
    made = []
    for figure, (_, _, high) in result.default_minus_fused.items():
        default, fused = (result.recipes[recipe][figure] for recipe in ("default", "fused"))
        least = LEAST.get(result.name) if figure == "recall@10" else None
        made.append(
            evidence.row(
                f"{result.name}: {figure}",
                default,
                target=f"≥ {least}" if least else "not below `fused`",
                baseline=fused,
                holds=default >= least if least else high >= 0,
            )
        )
    return made


def tables(results: Sequence[Result]) -> str:
    """Return results as tables for a page."""
    return "\n".join(line for result in results for line in _tables(result))


def _tables(result: Result) -> list[str]:
    names = list(_FIGURES)
    return [
        "", f"## {result.name}", "",
        f"{result.turns} turns, {result.questions} questions.", "",
        f"| recipe | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|",
        *(
            f"| `{recipe}` | " + " | ".join(f"{means[name]:.3f}" for name in names) + " |"
            for recipe, means in result.recipes.items()
        ),
        "", "| change | recall@10 | NDCG@10 |", "| --- | --- | --- |",
        _difference_row("`default` instead of `fused`", result.default_minus_fused),
        *(
            _difference_row(f"`default` without `{name}`", change)
            for name, change in result.without.items()
        ),
    ]  # fmt: skip


def _difference_row(label: str, change: dict[str, tuple[float, float, float]]) -> str:
    cells = [f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]" for mean, low, high in change.values()]
    return f"| {label} | {' | '.join(cells)} |"


def _record(measured: list[Result], queries: int | None) -> None:
    """Keep results as evidence, beside those of other files."""
    limited = f" --queries {queries}" if queries else ""
    results = [*_kept(but={one.name for one in measured}), *measured]
    results.sort(key=lambda one: one.name)
    evidence.write(
        "recall",
        name="Quality of recall",
        command=f"python -m scripts.bench.recall_quality FILE...{limited} --record",
        n="; ".join(f"{r.name}: {r.questions} questions over {r.turns} turns" for r in results),
        rows=[row for result in results for row in rows(result)],
        notes="The baseline is recipe `fused`. The weights were chosen by hand after looking at "
        "these sets, so figures on them are optimistic; see docs/evidence/recall.md.",
        raw=[result._asdict() for result in results],
    )
    page = evidence.DIRECTORY / "recall.md"
    text = page.read_text(encoding="utf-8").split(_MARK)[0]
    page.write_text(f"{text}{_MARK}\n{tables(results)}\n", encoding="utf-8")


def _kept(*, but: set[str]) -> list[Result]:
    """Return what was recorded before of other files."""
    file = evidence.DIRECTORY / "raw" / "recall.json"
    held = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return [Result(**one) for one in held if one["name"] not in but]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--queries", type=int, help="at most so many of each conversation")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    with Installation(0) as installation, Service(installation.url, installation.key) as service:
        results = [measure(service, file, arguments.queries) for file in arguments.files]
    if arguments.record:
        _record(results, arguments.queries)
    print(tables(results))
    print(json.dumps([row for result in results for row in rows(result)], indent=1))


if __name__ == "__main__":
    main()
