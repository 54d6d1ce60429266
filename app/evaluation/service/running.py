"""Suites run from files to files, against a service of the operator's."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.evaluation.client import HttpApi
from app.evaluation.kernel import longmemeval as longmemeval_kernel
from app.evaluation.kernel import sort as sort_kernel
from app.evaluation.kernel.longmemeval import FormatError, Granularity, Speakers
from app.evaluation.service.longmemeval import LongMemEval, line
from app.evaluation.service.sort import Cell, Score, Sort


async def longmemeval(
    api: HttpApi,
    path: Path,
    output: Path,
    *,
    granularity: Granularity,
    speakers: Speakers,
    limit: int | None,
) -> dict[str, Any]:
    """Rank what answers each question of a file; write the ranked ids, return the means.

    Raises:
        FormatError: the file is not in the published format.
        CallFailedError: the service refused.
    """
    instances = longmemeval_kernel.read(_json(path))[:limit]
    asked = []
    suite = LongMemEval(api, granularity, speakers)
    with output.open("w", encoding="utf-8") as lines:
        async for one in suite.run(instances):
            asked.append(one)
            lines.write(json.dumps(line(one), ensure_ascii=False) + "\n")
    return {
        "granularity": granularity,
        "speakers": speakers,
        **longmemeval_kernel.summary(asked),
        "by_type": longmemeval_kernel.by_kind(asked),
    }


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: {error}"
        raise FormatError(msg) from error


async def sort(
    api: HttpApi, path: Path, *, excerpts: int, per_bin: int, is_ordered: bool
) -> list[dict[str, Any]]:
    """Ask for the order of segments of the texts below a path; return a row for each cell."""
    suite = Sort(api, excerpts, per_bin, is_ordered)
    return rows(await suite.run(books(path)))


def books(path: Path) -> dict[str, Sequence[str]]:
    """Return the words of a text, or of all texts of a directory, by the names of the files."""
    files: Iterable[Path] = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    return {file.name: sort_kernel.body(file.read_text(encoding="utf-8")) for file in files}


def rows(scores: Mapping[Cell, Score]) -> list[dict[str, Any]]:
    """Return scores as rows."""
    return [
        {
            "excerpt": cell.excerpt,
            "segment": cell.segment,
            "bin": cell.bin,
            "accuracy": round(score.accuracy, 4),
            "n": score.n,
        }
        for cell, score in scores.items()
    ]
