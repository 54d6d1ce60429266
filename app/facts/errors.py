"""Expected failures of the room."""

from typing import Self
from uuid import UUID

from app.kit.errors import Problem


class TimelineTooLongError(Problem):
    """More steps are asked for than one timeline may have."""

    slug = "timeline-too-long"
    status = 422
    title = "Timeline too long"


class ConflictNotFoundError(Problem):
    """No such conflict in the caller's scope."""

    slug = "conflict-not-found"
    status = 404
    title = "Conflict not found"

    @classmethod
    def of(cls, conflict_id: UUID) -> Self:
        """Name the missing id."""
        return cls(f"No conflict {conflict_id} in this scope.", conflict_id=str(conflict_id))
