"""Expected failures of the room."""

from typing import Self
from uuid import UUID

from app.kit.errors import Problem, ServiceUnavailableError


class MemoryNotFoundError(Problem):
    """No such memory in the caller's scope (also when it exists in another's)."""

    slug = "memory-not-found"
    status = 404
    title = "Memory not found"

    @classmethod
    def of(cls, memory_id: UUID) -> Self:
        """Name the missing id."""
        return cls(f"No memory {memory_id} in this scope.", memory_id=str(memory_id))


class MemoryArchivedError(Problem):
    """An archived memory is not edited; restore it first."""

    slug = "memory-archived"
    status = 409
    title = "Memory is archived"


class DerivedMemoryError(Problem):
    """What a mechanism made is not edited; what it was made of is."""

    slug = "memory-derived"
    status = 409
    title = "Memory is derived"


class OwnerBusyError(ServiceUnavailableError):
    """The owner was erased while the write was under way."""

    slug = "owner-erased-meanwhile"
    title = "Owner was erased meanwhile"


class ModelNotConfiguredError(Problem):
    """No configured embedder serves the model."""

    slug = "model-not-configured"
    status = 422
    title = "Embedding model not configured"
