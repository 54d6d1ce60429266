"""Questions and what comes back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.kit.body import Body
from app.kit.text import NUMBER, AwareTime, CleanText, ExternalId, not_blank
from app.memories.models import Memory
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.grouping import Granularity
from app.retrieval.kernel.ordering import Place
from app.retrieval.kernel.scoring import relevance

Query = Annotated[
    CleanText,
    AfterValidator(not_blank),
    Field(description="What is wanted, in plain words; at most 8 KiB.", examples=["pets"]),
]
Recipe = Literal[
    "default", "fused", "lexical", "dense", "linked", "thoughts", "contiguous", "hierarchical"
]


class RecallRequest(Body):
    """What is looked for, and among which memories."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"query": "What is the name of Alice's cat?", "user_id": "alice", "limit": 5},
                {
                    "query": "plans for the summer",
                    "user_id": "alice",
                    "filters": {
                        "and": [
                            {"role": {"eq": "user"}},
                            {"occurred_at": {"gte": "2026-01-01T00:00:00Z"}},
                            {"metadata.channel": {"in": ["web", "phone"]}},
                        ]
                    },
                    "explain": True,
                },
            ]
        },
    )

    query: Query
    user_id: ExternalId | None = None
    agent_id: Annotated[
        ExternalId | None,
        Field(description="Alone: this agent's memories; with a user: the user's, of this agent."),
    ] = None
    session_id: Annotated[ExternalId | None, Field(description="Only this conversation.")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Hits, at most."), NUMBER] = 10
    granularity: Annotated[
        Granularity,
        Field(
            description="What a hit is. `turn`: one memory. `round`: a user's turn with the "
            "assistant's answer behind it. `session`: a conversation. A round or session is "
            "represented by its best memory and ranked as that; `turns` holds the round, or the "
            "three best memories of the session, in the order in which they were said."
        ),
    ] = "turn"
    kinds: Annotated[
        list[CleanText] | None, Field(min_length=1, max_length=32, description="Only these kinds.")
    ] = None
    filters: Annotated[
        dict[str, Any] | None,
        Field(
            description="`and`, `or`, `not` over leaves such as "
            '`{"metadata.color": {"eq": "red"}}`; operators `eq ne gt gte lt lte in nin '
            "contains exists`."
        ),
    ] = None
    as_of: Annotated[
        AwareTime | None,
        Field(
            description="Only what had happened by then; *yesterday* or *last week* in the query "
            "are told from it. Null: now."
        ),
    ] = None
    recipe: Annotated[
        Recipe,
        Field(
            description="`default` scores the best of both arms by what they, the speaker, the "
            "time and the session say; `fused` by their ranks alone; `lexical` and `dense` use "
            "one arm. `linked`: `default` with one more feature, how near notes are to those of "
            "the best hits; behind the hits at most as many memories that are linked to them. "
            "`thoughts`: the hits of `default` and the sources of the nearest thoughts, in one "
            "ranking. `contiguous`: seven tenths are the best hits of `default`, the rest are the "
            "turns beside them in their sessions. `hierarchical`: the hits of `default` within "
            "the segments that are nearest to the query, and within what is in no segment yet."
        ),
    ] = "default"
    segments: Annotated[
        int,
        Field(ge=1, le=1_000, description="Recipe `hierarchical`: segments looked into."),
        NUMBER,
    ] = 16
    min_score: Annotated[
        float, Field(strict=True, ge=0, le=1, description="Leave out hits that score less.")
    ] = 0
    deadline_ms: Annotated[
        int | None,
        Field(ge=1, le=60_000, description="Give up the dense arm rather than take longer."),
        NUMBER,
    ] = None
    include: Annotated[
        list[Literal["sources", "superseded"]],
        Field(
            max_length=2,
            description="`sources`: the episodes each hit was made from. `superseded`: behind the "
            "hits also what they took the place of and is not among them.",
        ),
    ] = Field(default_factory=list)
    reinforce: Annotated[
        bool,
        Field(
            strict=True,
            description="Strengthen the hits, soon after the answer: they fade more slowly.",
        ),
    ] = True
    retention: Annotated[
        bool,
        Field(
            strict=True,
            description="Let what has faded lose in rank, within the policy's bounds.",
        ),
    ] = True
    compensate: Annotated[
        bool,
        Field(strict=True, description="Let votes on the hits of similar questions count."),
    ] = True
    explain: Annotated[bool, Field(strict=True, description="Add each arm's rank and score.")] = (
        False
    )


class ArmRead(BaseModel):
    """What one arm said of a hit."""

    rank: Annotated[int, Field(ge=1)]
    score: Annotated[
        float, Field(description="`lexical`: BM25; `dense`: cosine similarity, 1 - distance.")
    ]


class Explanation(BaseModel):
    """How a score came about; an arm that did not find the memory is null."""

    lexical: ArmRead | None
    dense: ArmRead | None
    fused: Annotated[
        float | None,
        Field(
            description="Weighted reciprocal ranks, as a share of the best possible; "
            "null: neither arm found it."
        ),
    ]
    features: Annotated[
        dict[str, float],
        Field(
            description="What each feature of the second stage added, by name: `lexical`, "
            "`cosine`, `tokens`, `neighbours`, `speaker`, `date`, `time_words`, `question`, "
            "`session_lexical`, `session_cosine`. Empty with recipes of one stage."
        ),
    ]
    on_day: Annotated[
        float | None,
        Field(
            description="Its score among the memories of the days that the query asks about "
            "(said on them, or telling of them), 0 for one of other days; null: it asks about "
            "none, or nothing is held of them."
        ),
    ]
    thought_rank: Annotated[
        int | None,
        Field(ge=1, description="Recipe `thoughts`: place of the nearest thought made of it."),
    ]
    link_weight: Annotated[
        float | None,
        Field(description="Recipe `linked`: weight of the link from the hit `linked_from`."),
    ]
    relevance: Annotated[
        float,
        Field(
            description="What the question alone made of it: the sum of `features`, or `fused` "
            "with recipes of one stage; with days asked about a quarter of this and three quarters "
            "of `on_day`, half and half where they are told from the day of the query; with "
            "recipe `thoughts` (this + .2 / `thought_rank`) / 1.2; with a link the hit's "
            "relevance x `link_weight`; beside a hit half of its relevance."
        ),
    ]
    feedback: Annotated[
        float | None,
        Field(
            description="What votes on similar questions add to `relevance`, between -.5 and .5; "
            "the sum is kept between 0 and 1. Null: there are none."
        ),
    ]
    retention: Annotated[
        float | None,
        Field(description="e^(-t/S) at this moment; null: it played no part."),
    ]
    factor: Annotated[
        float,
        Field(
            description="What retention multiplies `relevance` and `feedback` by to give the score."
        ),
    ]

    @classmethod
    def of(cls, one: Candidate) -> "Explanation":
        """Show what the arms said."""
        lexical, dense = None, None
        if one.lexical_rank is not None and one.lexical_score is not None:
            lexical = ArmRead(rank=one.lexical_rank, score=one.lexical_score)
        if one.dense_rank is not None and one.dense_distance is not None:
            dense = ArmRead(rank=one.dense_rank, score=1 - one.dense_distance)
        return cls(
            lexical=lexical,
            dense=dense,
            fused=one.fused,
            features=dict(one.features),
            on_day=one.on_day,
            thought_rank=one.thought_rank,
            link_weight=one.link_weight,
            relevance=relevance(one),
            feedback=one.feedback,
            retention=one.retention,
            factor=one.factor,
        )


class TurnRead(BaseModel):
    """One memory of a round or session."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    role: str | None
    name: str | None
    content: str
    occurred_at: datetime


class Hit(BaseModel):
    """A memory that matters now."""

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
    metadata: dict[str, Any]
    score: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="1: best in all that the recipe looks at, and nothing of it faded.",
        ),
    ]
    turns: Annotated[
        list[TurnRead] | None,
        Field(description="The round, or the best of the session; null by `turn`."),
    ] = None
    source_episode_ids: list[UUID] | None = None
    superseded_by: Annotated[
        UUID | None,
        Field(description="The memory that took its place; it ranks higher. Null: none did."),
    ] = None
    conflicts_with: Annotated[
        list[UUID],
        Field(description="Memories that contradict it, while neither side holds."),
    ] = Field(default_factory=list)
    linked_from: Annotated[
        UUID | None,
        Field(description="The hit that led to it by a link; null: the question itself did."),
    ] = None
    neighbour_of: Annotated[
        UUID | None,
        Field(description="Recipe `contiguous`: the hit that it stands beside in its session."),
    ] = None
    explain: Explanation | None = None

    @classmethod
    def of(
        cls,
        one: Candidate,
        *,
        sources: list[UUID] | None,
        explain: bool,
        turns: Sequence[Memory] | None = None,
    ) -> "Hit":
        """Show a candidate."""
        return cls(
            id=one.id,
            kind=one.kind,
            content=one.content,
            role=one.role,
            name=one.name,
            session_id=one.session_id,
            agent_id=one.agent_id,
            place=one.place,
            occurred_at=one.occurred_at,
            created_at=one.created_at,
            metadata=one.metadata,
            score=one.score,
            turns=[TurnRead.model_validate(turn) for turn in turns] if turns else None,
            source_episode_ids=sources,
            superseded_by=one.superseded_by,
            conflicts_with=list(one.conflicts_with),
            linked_from=one.linked_from,
            neighbour_of=one.neighbour_of,
            explain=Explanation.of(one) if explain else None,
        )


class RecallResponse(BaseModel):
    """Hits, best first."""

    recall_id: UUID
    hits: list[Hit]
    degraded: Annotated[
        list[Literal["dense"]],
        Field(description="Arms that were left out because a part was away or too slow."),
    ]
    took_ms: float


class ContextRequest(Body):
    """What a prompt is about, and how much room it has."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "query": "What should I feed Miso?",
                    "user_id": "alice",
                    "session_id": "chat-2",
                    "max_tokens": 800,
                }
            ]
        },
    )

    query: Query
    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None
    session_id: Annotated[
        ExternalId | None, Field(description="Whose recent turns are packed.")
    ] = None
    max_tokens: Annotated[
        int, Field(ge=1, le=1_000_000, description="Of the whole text."), NUMBER
    ] = 1_000
    count_by: Annotated[
        Literal["embedder", "characters"],
        Field(description="`embedder`: its tokenizer; `characters`: four to a token."),
    ] = "embedder"
    filters: Annotated[
        dict[str, Any] | None,
        Field(
            description="As for recall. With them the text comes without the profile, which is "
            "made of all memories."
        ),
    ] = None
    reinforce: Annotated[
        bool,
        Field(strict=True, description="Strengthen the memories that fit, soon after the answer."),
    ] = True
    retention: Annotated[
        bool, Field(strict=True, description="Let what has faded lose in rank.")
    ] = True


class ContextSection(BaseModel):
    """One part of the text."""

    name: Literal["profile", "recent", "memories"]
    text: str
    tokens: int
    memory_ids: list[UUID]


class ContextResponse(BaseModel):
    """Text ready for a prompt."""

    text: str
    tokens: Annotated[int, Field(description="Of `text`; at most `max_tokens`.")]
    sections: list[ContextSection]
    degraded: list[Literal["dense", "tokenizer"]]


class OrderRequest(Body):
    """Two passages, and among which memories they are looked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "a": "Miso caught her first mouse",
                    "b": "we moved to the house by the lake",
                    "user_id": "alice",
                }
            ]
        },
    )

    a: Annotated[
        CleanText,
        AfterValidator(not_blank),
        Field(description="A passage, best in the words in which it was said; at most 8 KiB."),
    ]
    b: Annotated[CleanText, AfterValidator(not_blank), Field(description="The other passage.")]
    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None
    session_id: Annotated[ExternalId | None, Field(description="Only this conversation.")] = None
    filters: Annotated[dict[str, Any] | None, Field(description="As for recall.")] = None


class PlaceRead(BaseModel):
    """Where a passage stands."""

    memory_id: UUID
    session_id: str | None
    occurred_at: datetime
    start: Annotated[int, Field(ge=0, description="Character of `content` at which it begins.")]
    stop: Annotated[int, Field(ge=0, description="Character behind its last word there.")]
    match: Annotated[float, Field(ge=0, le=1, description="Share of its words that agree.")]

    @classmethod
    def of(cls, one: Candidate, place: Place) -> "PlaceRead":
        """Show a place."""
        return cls(
            memory_id=one.id,
            session_id=one.session_id,
            occurred_at=one.occurred_at,
            start=place.start,
            stop=place.stop,
            match=place.match,
        )


class OrderEvidence(BaseModel):
    """The best places of each passage, best first; the order is that of the first two."""

    a: Annotated[list[PlaceRead], Field(description="Where `a` may stand.")]
    b: Annotated[list[PlaceRead], Field(description="Where `b` may stand.")]


class OrderResponse(BaseModel):
    """Which came first."""

    first: Annotated[Literal["a", "b"] | None, Field(description="null: the memories do not tell.")]
    by: Annotated[
        Literal["time", "sequence", "offset"] | None,
        Field(
            description="What tells: the times of two memories, their order within one session, "
            "or the places within one memory."
        ),
    ]
    confidence: Annotated[
        float,
        Field(
            ge=0.5,
            le=1,
            description="0.5: a guess. It falls with the share of words that agree, and where "
            "another place that is as good would turn the answer round.",
        ),
    ]
    evidence: Annotated[OrderEvidence, Field(description="Where the passages stand.")]
    degraded: list[Literal["dense"]]
    took_ms: float
