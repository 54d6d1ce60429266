"""A question on its way to its answer: what is asked, its vector, and what was found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.embeddings.protocol import TokenBits, Vectors
from app.feedback.service import RecallLog
from app.forgetting.service import Reinforcer
from app.memories.models import Memory
from app.memories.service import ModelTable
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.grouping import Granularity
from app.retrieval.kernel.scoring import relevance
from app.retrieval.repository.filters import Narrowing
from app.retrieval.schemas import Recipe
from app.tenants.schemas import OwnerName, Scope


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's vector and the tables it is compared in; neither: by keywords alone."""

    vector: Vectors | None = None
    tokens: TokenBits | None = None
    table: ModelTable | None = None
    is_degraded: bool = False


NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True)
class Question:
    """One recall, checked."""

    tenant_id: UUID
    owner: OwnerName
    text: str
    limit: int
    narrowing: Narrowing
    recipe: Recipe = "default"
    segments: int = 16
    """Segments that the recipe ``hierarchical`` looks into."""
    min_score: float = 0
    deadline_s: float | None = None
    with_sources: bool = False
    with_superseded: bool = False
    """Also what the hits took the place of."""
    with_retention: bool = True
    """Whether what has faded loses in rank, by the owner's policy."""
    with_feedback: bool = True
    """Whether votes on earlier answers count, by the owner's policy."""
    granularity: Granularity = "turn"


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a recall found."""

    candidates: list[Candidate]
    sources: dict[int, list[UUID]]
    is_degraded: bool
    """The dense arm was wanted but its embedder was away or too slow."""
    scope: Scope | None = None
    """Whose memories these are; ``None``: nobody's."""
    asked: Asked = NOTHING_ASKED
    """The question's vector, where it had one."""
    turns: Mapping[int, Sequence[Memory]] = field(default_factory=dict)
    """The turns of a candidate's round or session, by its ordinal; empty where turns are asked."""

    def reinforce(
        self, reinforcer: Reinforcer, memory_ids: Collection[UUID], *, now: datetime
    ) -> None:
        """Count a recall of those candidates that were answered; strengthens them soon."""
        if self.scope is not None:
            ordinals = [one.ordinal for one in self.candidates if one.id in memory_ids]
            reinforcer.note(self.scope, ordinals, now)

    def note(self, log: RecallLog, recall_id: UUID, *, agent_id: str | None) -> None:
        """Let the hits be voted on, unless the owner does not want it."""
        scope = self.scope
        if scope is None or scope.local is None or not scope.local.policies.mechanisms.feedback:
            return
        table = self.asked.table
        log.note(
            scope,
            recall_id,
            [(one.ordinal, relevance(one)) for one in self.candidates],
            agent_id=agent_id,
            model_id=table.model_id if table is not None else None,
            query=self.asked.vector,
        )
