"""The rooms' fixtures: an api with a tenant of its own; and no manners.

Background work gives way to a busy api, which here is in the same process and always busy.
"""

import pytest

from app.memories.service import enriching
from tests.memories.fixtures import (
    fresh,
    room_database,
    room_engine,
    room_settings,
    store,
)

__all__ = ["fresh", "room_database", "room_engine", "room_settings", "store"]


@pytest.fixture(autouse=True)
def _does_not_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enriching, "_BUSY_S", 0.0)
