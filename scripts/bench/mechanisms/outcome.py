"""What a part of the measurement hands back."""

from pathlib import Path
from typing import Any, NamedTuple

from scripts.bench.mechanisms.service import Service


class Bench(NamedTuple):
    """What a part measures on."""

    service: Service
    data: Path
    """Where the data sets of others lie."""
    is_on: bool
    """Whether the mechanism is on: without it, figures that need it must not hold."""


class Outcome(NamedTuple):
    """Figures of one part."""

    name: str
    n: str
    works: bool
    """Whether the mechanism does for its task what it must."""
    rows: list[dict[str, Any]]
    notes: str
    raw: dict[str, Any]
