"""Fixtures of the language model; other rooms may name ``wire_server`` in their own."""

from collections.abc import AsyncGenerator

import pytest

from tests.llm.server import WireServer, listening
from tests.memories.fixtures import room_database, room_engine, room_settings, store

__all__ = ["room_database", "room_engine", "room_settings", "store"]


@pytest.fixture
async def wire_server() -> AsyncGenerator[WireServer]:
    """A server that speaks the wire format with scripted answers."""
    async with listening() as server:
        yield server
