"""What the arms of a recall found. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

NOTHING: Mapping[str, float] = MappingProxyType({})


class Candidate(NamedTuple):
    """A memory with what each arm said of it; an arm that did not find it says ``None``.

    A tuple, because each recall makes and changes dozens: a dataclass takes five times as long.
    """

    ordinal: int
    score: float
    """In [0, 1]: 1 is the first of both arms, before anything else has its say."""
    fused: float | None
    """What the arms alone made of it; ``None``: neither found it."""
    lexical_rank: int | None
    lexical_score: float | None
    """BM25, ≥ 0."""
    dense_rank: int | None
    dense_distance: float | None
    """Cosine distance in [0, 2]."""
    id: UUID
    kind: str
    content: str
    role: str | None
    name: str | None
    session_id: str | None
    agent_id: str | None
    place: str | None
    occurred_at: datetime
    created_at: datetime
    importance: float | None
    pinned: bool
    strength_days: float
    recalled_at: datetime | None
    generated_by: str | None
    metadata: dict[str, Any]
    tokens: bytes | None = None
    """Sign bits of its token vectors, one behind the other, where recall compares them."""
    is_contested: bool = False
    """Whether another memory contradicts it."""
    features: Mapping[str, float] = NOTHING
    """What each feature of the second stage added to the score, by name."""
    on_day: float | None = None
    """Its score among the memories of the days that the question names; ``None``: names none."""
    thought_rank: int | None = None
    """Place of the best thought that stands on it, from 1."""
    link_weight: float | None = None
    """Weight of the link that led to it."""
    relevance: float | None = None
    """What the question alone made of it: the score before soft factors."""
    feedback: float | None = None
    """What votes on similar questions added to the relevance; ``None``: there are none."""
    retention: float | None = None
    """In [0, 1]; ``None``: retention played no part."""
    factor: float = 1.0
    """What the score was multiplied by."""
    superseded_by: UUID | None = None
    """The memory that took its place."""
    conflicts_with: tuple[UUID, ...] = ()
    """Memories that contradict it, while neither side holds."""
    linked_from: UUID | None = None
    """The hit that led to it by a link; ``None``: the question did."""
    neighbour_of: UUID | None = None
    """The hit that it stands beside; ``None``: it came for another reason."""
