from tests.memories.fixtures import (
    room_database,
    room_engine,
    room_settings,
    store,
)

__all__ = ["room_database", "room_engine", "room_settings", "store"]
