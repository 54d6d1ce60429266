"""Thoughts on their way in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.embeddings.protocol import Vectors
from app.kit.body import Body
from app.kit.pagination import PageCursor, PageLimit
from app.kit.text import NUMBER, CleanText, ExternalId, not_blank

Status = Literal["active", "forgotten", "merged"]

SPACE = "thought"
"""Where the vectors of thoughts lie among those that mechanisms make."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A thought before it is stored."""

    text: str
    head: str
    relation: str | None
    tails: tuple[str, ...]
    sources: tuple[int, ...]
    """Ordinals of the memories its text is made of."""
    valid_from: datetime
    generated_by: str
    agent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a thought lies: its bucket, and the version of the hash that chose it."""

    hash_version: int
    bucket: int


@dataclass(frozen=True, slots=True)
class Search:
    """A recall of thoughts."""

    vector: Vectors
    """Shape [d]."""
    model_id: int
    hash_version: int
    buckets: Sequence[int]
    limit: int
    now: datetime
    agent_id: str | None = None
    with_forgotten: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A thought as it is held now, with what it was made from."""

    ordinal: int
    id: UUID
    text: str
    head: str
    relation: str | None
    tails: Sequence[str]
    status: Status
    valid_from: datetime
    valid_to: datetime | None
    generated_by: str
    score: float
    """Cosine to the query; 0 where nothing was asked."""
    source_ids: Sequence[UUID] = ()
    source_ordinals: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Which of an owner's thoughts a list shows, newest first."""

    limit: int
    now: datetime
    agent_id: str | None = None
    head: str | None = None
    relation: str | None = None
    with_forgotten: bool = False
    before: int | None = None


class ThoughtRead(BaseModel):
    """A statement thought out of what was said."""

    id: Annotated[UUID, Field(description="It is a memory, too: of kind `thought`.")]
    text: str
    head: Annotated[str, Field(description="Whom or what it is about.")]
    relation: Annotated[
        str | None, Field(description="Null where the sentence was not read as a triple.")
    ]
    tail: Annotated[str | None, Field(description="Several tails are joined by `; `.")]
    status: Annotated[
        Status,
        Field(
            description="`forgotten`: a newer thought contradicts it; `merged`: another thought "
            "says the same."
        ),
    ]
    source_ids: Annotated[list[UUID], Field(description="The memories it stands on.")]
    valid_from: Annotated[datetime, Field(description="When it was said.")]
    valid_to: Annotated[
        datetime | None, Field(description="When a newer one began to hold; null: it holds.")
    ]
    generated_by: Annotated[
        str, Field(description="What made it.", examples=["deterministic:patterns"])
    ]

    @classmethod
    def of(cls, found: Found) -> "ThoughtRead":
        """Show a thought."""
        return cls(**_shown(found))


class RecalledThought(ThoughtRead):
    """A thought that matters for a question."""

    score: Annotated[float, Field(description="Cosine similarity, -1 to 1.")]

    @classmethod
    def of(cls, found: Found) -> "RecalledThought":
        """Show a thought with its score."""
        return cls(**_shown(found), score=found.score)


def _shown(found: Found) -> dict[str, object]:
    return {
        "id": found.id,
        "text": found.text,
        "head": found.head,
        "relation": found.relation,
        "tail": "; ".join(found.tails) or None,
        "status": found.status,
        "source_ids": list(found.source_ids),
        "valid_from": found.valid_from,
        "valid_to": found.valid_to,
        "generated_by": found.generated_by,
    }


class ThoughtsRecall(Body):
    """What is looked for, and whose thoughts are looked at."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "Where does Alice live?", "user_id": "alice"}]}
    )

    query: Annotated[
        CleanText,
        AfterValidator(not_blank),
        Field(description="What is wanted, in plain words; at most 8 KiB.", examples=["pets"]),
    ]
    user_id: ExternalId | None = None
    agent_id: Annotated[
        ExternalId | None,
        Field(description="Alone: this agent's thoughts; with a user: the user's, of this agent."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Thoughts, at most."), NUMBER] = 10
    probes: Annotated[
        int | None,
        Field(ge=1, le=1_024, description="Buckets to look into, best first; default: 6 of 16."),
        NUMBER,
    ] = None
    include: Annotated[
        list[Literal["forgotten"]],
        Field(max_length=1, description="`forgotten`: also what a newer thought contradicts."),
    ] = Field(default_factory=list)


class RecalledThoughts(BaseModel):
    """Thoughts, nearest first."""

    thoughts: Annotated[list[RecalledThought], Field(description="The nearest first.")]
    degraded: Annotated[
        list[Literal["dense"]],
        Field(description="`dense`: the embedder is away; thoughts are found by vector only."),
    ]


class ThoughtList(BaseModel):
    """Which thoughts a list shows."""

    model_config = ConfigDict(extra="forbid")

    head: Annotated[
        CleanText | None, Field(max_length=200, description="Whom or what they are about.")
    ] = None
    relation: Annotated[
        CleanText | None, Field(max_length=200, description="Such as `lives in`.")
    ] = None
    include: Annotated[
        list[Literal["forgotten"]],
        Field(max_length=1, description="`forgotten`: also what a newer thought contradicts."),
    ] = Field(default_factory=list)
    limit: PageLimit = 50
    cursor: PageCursor = None


class UserThoughtList(ThoughtList):
    """Which of a user's thoughts a list shows."""

    agent_id: Annotated[ExternalId | None, Field(description="Only those of this agent.")] = None
