"""The verbs of the room."""

from app.memories.kernel import spoken
from app.memories.repository.derived import Neighbour
from app.memories.repository.fading import Among, Faded, FadingMemory, Revival
from app.memories.repository.hidden import hidden
from app.memories.repository.periods import Period, first_period, in_period, local_days, years
from app.memories.repository.rows import MemoryQuery, following, live_by_ids
from app.memories.repository.sources import episodes as source_episodes
from app.memories.repository.streams import Stream, Turn, turns, turns_before
from app.memories.repository.told_days import of_memories as told_days
from app.memories.repository.told_days import telling
from app.memories.repository.vectors import as_parameter
from app.memories.service.adding import add, is_active, lock_owner, pending, take_ordinals
from app.memories.service.background import models, start_reembedding
from app.memories.service.covering import cover_later
from app.memories.service.deriving import (
    NO_DERIVATIONS,
    Derivations,
    SourcesGone,
    add_derived,
    by_ordinals,
    document_frequencies,
    drop_vectors,
    erase_derived,
    get_vectors,
    lexemes,
    nearest,
    own_vectors,
    put_vectors,
    reinforce,
    replace_derived,
    revive_derived,
    source_ordinals,
)
from app.memories.service.editing import (
    Writer,
    archive,
    edit,
    embedding_states,
    erase,
    find,
    hide,
    history,
    page,
    restore,
)
from app.memories.service.enriching import Batch, OwnerGoneError, enrich, give_way
from app.memories.service.fading import (
    count_fading,
    fading,
    last_recalled,
    revivals,
    strongest,
    weakest,
)
from app.memories.service.indexing import prepare, unembedded
from app.memories.service.spaces import (
    ModelTable,
    Prepared,
    Space,
    Spaces,
    needs_bit_check,
    needs_covering,
)

__all__ = [
    "NO_DERIVATIONS",
    "Among",
    "Batch",
    "Derivations",
    "Faded",
    "FadingMemory",
    "MemoryQuery",
    "ModelTable",
    "Neighbour",
    "OwnerGoneError",
    "Period",
    "Prepared",
    "Revival",
    "SourcesGone",
    "Space",
    "Spaces",
    "Stream",
    "Turn",
    "Writer",
    "add",
    "add_derived",
    "archive",
    "as_parameter",
    "by_ordinals",
    "count_fading",
    "cover_later",
    "document_frequencies",
    "drop_vectors",
    "edit",
    "embedding_states",
    "enrich",
    "erase",
    "erase_derived",
    "fading",
    "find",
    "first_period",
    "following",
    "get_vectors",
    "give_way",
    "hidden",
    "hide",
    "history",
    "in_period",
    "is_active",
    "last_recalled",
    "lexemes",
    "live_by_ids",
    "local_days",
    "lock_owner",
    "models",
    "nearest",
    "needs_bit_check",
    "needs_covering",
    "own_vectors",
    "page",
    "pending",
    "prepare",
    "put_vectors",
    "reinforce",
    "replace_derived",
    "restore",
    "revivals",
    "revive_derived",
    "source_episodes",
    "source_ordinals",
    "spoken",
    "start_reembedding",
    "strongest",
    "take_ordinals",
    "telling",
    "told_days",
    "turns",
    "turns_before",
    "unembedded",
    "weakest",
    "years",
]
