"""A memory that no arm of the question found, as a candidate: a link or a thought led to it."""

from uuid import UUID

from app.memories.models import Memory
from app.retrieval.kernel.candidates import Candidate


def candidate_of(
    memory: Memory,
    *,
    score: float = 0,
    linked_from: UUID | None = None,
    link_weight: float | None = None,
    neighbour_of: UUID | None = None,
) -> Candidate:
    """Return the memory as a candidate of which neither arm said anything."""
    return Candidate(
        ordinal=memory.ordinal,
        score=score,
        fused=None,
        lexical_rank=None,
        lexical_score=None,
        dense_rank=None,
        dense_distance=None,
        id=memory.id,
        kind=memory.kind,
        content=memory.content,
        role=memory.role,
        name=memory.name,
        session_id=memory.session_id,
        agent_id=memory.agent_id,
        place=memory.place,
        occurred_at=memory.occurred_at,
        created_at=memory.created_at,
        importance=memory.importance,
        pinned=memory.pinned,
        strength_days=memory.strength_days,
        recalled_at=memory.recalled_at,
        generated_by=memory.generated_by,
        metadata=memory.metadata_,
        linked_from=linked_from,
        link_weight=link_weight,
        neighbour_of=neighbour_of,
    )
