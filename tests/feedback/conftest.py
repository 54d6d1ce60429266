from tests.memories.fixtures import (
    fresh,
    room_database,
    room_engine,
    room_settings,
    store,
)

__all__ = ["fresh", "room_database", "room_engine", "room_settings", "store"]
