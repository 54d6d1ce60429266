"""The verbs of the room."""

from app.memories.kernel import spoken
from app.memories.repository.rows import MemoryQuery, live_by_ids, source_episodes
from app.memories.repository.vectors import as_parameter
from app.memories.service.adding import add, is_active, lock_owner, pending, take_ordinals
from app.memories.service.background import models, start_reembedding
from app.memories.service.editing import (
    Writer,
    archive,
    edit,
    embedding_states,
    erase,
    find,
    history,
    page,
    restore,
)
from app.memories.service.indexing import prepare, unembedded
from app.memories.service.spaces import ModelTable, Prepared, Space, Spaces, needs_bit_check

__all__ = [
    "MemoryQuery",
    "ModelTable",
    "Prepared",
    "Space",
    "Spaces",
    "Writer",
    "add",
    "archive",
    "as_parameter",
    "edit",
    "embedding_states",
    "erase",
    "find",
    "history",
    "is_active",
    "live_by_ids",
    "lock_owner",
    "models",
    "needs_bit_check",
    "page",
    "pending",
    "prepare",
    "restore",
    "source_episodes",
    "spoken",
    "start_reembedding",
    "take_ordinals",
    "unembedded",
]
