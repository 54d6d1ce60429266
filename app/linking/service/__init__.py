"""The verbs of the room."""

from app.linking.schemas import LinkFound
from app.linking.service.evolving import evolve
from app.linking.service.linking import link
from app.linking.service.noting import note
from app.linking.service.reading import around, graph, history, linked_to, note_vectors
from app.linking.service.reading import note as read_note
from app.linking.service.reverting import revert
from app.linking.service.tools import Tools
from app.linking.service.undoing import forget
from app.linking.service.upkeep import embed_waiting
from app.linking.service.withdrawing import outdated

__all__ = [
    "LinkFound",
    "Tools",
    "around",
    "embed_waiting",
    "evolve",
    "forget",
    "graph",
    "history",
    "link",
    "linked_to",
    "note",
    "note_vectors",
    "outdated",
    "read_note",
    "revert",
]
