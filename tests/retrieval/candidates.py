"""Candidates of a recall that say only what a test is about."""

from datetime import UTC, datetime
from uuid import UUID

from app.retrieval.kernel.candidates import Candidate

THEN = datetime(2024, 5, 3, 12, tzinfo=UTC)


def candidate(
    ordinal: int = 1,
    content: str = "Tea.",
    *,
    lexical: float | None = None,
    cosine: float | None = None,
    name: str | None = None,
    role: str | None = None,
    session: str | None = None,
    score: float = 0.5,
) -> Candidate:
    return Candidate(
        ordinal=ordinal,
        score=score,
        fused=score,
        lexical_rank=None if lexical is None else 1,
        lexical_score=lexical,
        dense_rank=None if cosine is None else 1,
        dense_distance=None if cosine is None else 1 - cosine,
        id=UUID(int=ordinal),
        kind="episode",
        content=content,
        role=role,
        name=name,
        session_id=session,
        agent_id=None,
        place=None,
        occurred_at=THEN,
        created_at=THEN,
        importance=None,
        pinned=False,
        strength_days=1.0,
        recalled_at=None,
        generated_by=None,
        metadata={},
    )
