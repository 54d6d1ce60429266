"""Public ids."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """Return a UUIDv7: unique, and sorted by the time it was made."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def first_id_of(moment: datetime) -> UUID:
    """Return the least UUIDv7 of a moment: ids made before it are below."""
    milliseconds = int(moment.timestamp() * 1_000)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62))


def time_of(identifier: UUID) -> datetime | None:
    """Return when a UUIDv7 was made; ``None`` for other ids."""
    if identifier.version != 7:
        return None
    try:
        return datetime.fromtimestamp((identifier.int >> 80) / 1_000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
