"""Expected failures of the room."""

from typing import Self
from uuid import UUID

from app.kit.errors import Problem


class NoteNotFoundError(Problem):
    """Nothing is noted of this memory yet, or the mechanism is switched off."""

    slug = "note-not-found"
    status = 404
    title = "Note not found"

    @classmethod
    def of(cls, memory_id: UUID) -> Self:
        """Name the memory."""
        return cls(f"Nothing is noted of memory {memory_id}.", memory_id=str(memory_id))


class EvolutionNotFoundError(Problem):
    """No such change of this memory's note."""

    slug = "evolution-not-found"
    status = 404
    title = "Evolution not found"

    @classmethod
    def of(cls, evolution_id: UUID) -> Self:
        """Name the missing id."""
        msg = f"No evolution {evolution_id} of this memory's note."
        return cls(msg, evolution_id=str(evolution_id))


class NoteChangedError(Problem):
    """The note changed since, or the change was undone before: there is nothing to undo."""

    slug = "note-changed"
    status = 409
    title = "Note changed since"
