"""Writes the contract down: ``scripts/openapi``."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.kit.settings import Settings
from app.main import create_app
from tests.acceptance.compatibility import contract

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def document() -> dict[str, Any]:
    """Return the api's document; it depends on no setting."""
    return create_app(Settings(database_url=SecretStr("postgresql://nowhere"))).openapi()


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    current = document()
    _write(REFERENCE / "openapi.json", current)
    if "--release" in sys.argv[1:]:
        _write(REFERENCE / "openapi-baseline.json", contract(current))
