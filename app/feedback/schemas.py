"""Votes on their way in and out, and recalls while they may be voted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from app.embeddings.protocol import Vectors
from app.kit.body import Body

Useful = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Recall:
    """A recall that may be voted on."""

    tenant_id: UUID
    recall_id: UUID
    owner_id: int
    agent_id: str | None
    model_id: int | None
    query: Vectors | None
    """Shape [d]."""
    ordinals: Sequence[int]
    """Its hits, best first."""
    predictions: Sequence[float]
    """How likely each is useful."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote before it is stored."""

    recall_id: UUID
    memory_ordinal: int
    rank: int
    predicted: float
    useful: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Near:
    """A vote on a question that is like the one at hand."""

    memory_ordinal: int
    error: float
    cosine: float
    at: datetime


class FeedbackCreate(Body):
    """How useful a hit was."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recall_id": "019c1b6e-0000-7000-8000-000000000001",
                    "memory_id": "019c1b6e-0000-7000-8000-000000000002",
                    "useful": True,
                }
            ]
        }
    )

    recall_id: Annotated[UUID, Field(description="Of the answer that had the hit.")]
    memory_id: Annotated[UUID, Field(description="The hit.")]
    useful: Annotated[
        StrictBool | Useful,
        Field(description="0 or false: not at all; 1 or true: just what was wanted."),
    ]


class FeedbackRead(BaseModel):
    """What became of a vote."""

    recall_id: Annotated[UUID, Field(description="Of the answer that was voted on.")]
    memory_id: Annotated[UUID, Field(description="The hit that was voted on.")]
    useful: Annotated[float, Field(ge=0, le=1, description="What the vote says.")]
    predicted: Annotated[
        float, Field(description="How likely its score made it, before any vote: 0 to 1.")
    ]
    error: Annotated[float, Field(description="`useful` - `predicted`: what is learned from it.")]
    status: Annotated[
        Literal["stored", "repeated", "changed"],
        Field(
            description="`repeated`: the same was said before; `changed`: the opposite was, and "
            "counts no more."
        ),
    ]
