"""What a benchmark measured, in the form that the table of figures is made from."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "evidence"


def row(
    figure: str,
    value: float | str,
    *,
    unit: str = "",
    target: str = "",
    baseline: float | str | None = None,
    holds: bool | None = None,
) -> dict[str, Any]:
    """Return one figure; members that say nothing are left out."""
    members = {"unit": unit, "target": target, "baseline": baseline, "holds": holds}
    return {
        "figure": figure,
        "value": value,
        **{name: said for name, said in members.items() if said not in ("", None)},
    }


def write(
    file: str,
    *,
    name: str,
    command: str,
    n: int | str,
    rows: list[dict[str, Any]],
    notes: str = "",
    raw: object = None,
) -> None:
    """Write a result, and what the program itself printed beside it."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    result = {
        "name": name,
        "command": command,
        "n": n,
        "measured_on": f"{datetime.now(UTC).date().isoformat()}, {machine}",
        "rows": rows,
        "notes": notes,
    }
    _dump(DIRECTORY / f"{file}.json", result)
    if raw is not None:
        _dump(DIRECTORY / "raw" / f"{file}.json", raw)


def _dump(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
