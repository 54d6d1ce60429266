"""Public ids."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """Return a UUIDv7: unique, and sorted by the time it was made."""
    return UUID(bytes=uuid_utils.uuid7().bytes)
