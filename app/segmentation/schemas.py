"""Segments: as they are kept, and as they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from app.kit.pagination import PageCursor, PageLimit
from app.kit.text import ExternalId
from app.segmentation.kernel.boundaries import Reason

GENERATED_BY: Literal["deterministic:embedding"] = "deterministic:embedding"
"""Surprise is told by vectors, not by a language model."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment's row."""

    first_ordinal: int
    last_ordinal: int
    session_id: str | None
    agent_id: str | None
    reason: Reason
    noticed_ordinal: int
    surprise: float | None
    needs_ordinal: int | None
    members: list[int]
    representatives: list[int]
    started_at: datetime
    ended_at: datetime
    model_id: int
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A segment before it is stored, and the vectors that it is found by."""

    kept: Kept
    means: NDArray[np.float32]
    """Shape [m, d]."""


@dataclass(frozen=True, slots=True)
class Within:
    """What a recall by segments looks at."""

    ordinals: Sequence[int]
    """Turns of the chosen segments."""
    after: int
    """Turns behind this ordinal are in no segment yet, and are looked at as well."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which of an owner's segments a list shows, newest first."""

    limit: int
    agent_id: str | None = None
    session_id: str | None = None
    before: int | None = None


class RepresentativeRead(BaseModel):
    """A turn that stands for a segment."""

    id: Annotated[UUID, Field(description="The memory.")]
    content: str


class SegmentRead(BaseModel):
    """An event: turns of one session that follow each other and belong together."""

    session_id: str | None
    agent_id: str | None
    first_id: Annotated[UUID, Field(description="The memory that it begins with.")]
    last_id: Annotated[UUID, Field(description="The memory that it ends with.")]
    turns: Annotated[int, Field(ge=1, description="How many turns it holds.")]
    started_at: Annotated[datetime, Field(description="When its first turn happened.")]
    ended_at: Annotated[datetime, Field(description="When its last turn happened.")]
    began_by: Annotated[
        Reason,
        Field(
            description="Why it begins there. `start`: of the session; `gap`: a pause; "
            "`surprise`: what comes is unlike what was; `size`: the one before was full."
        ),
    ]
    surprise: Annotated[
        float | None,
        Field(description="How far from the turns before, 1 - cosine; null: for another reason."),
    ]
    is_closed: Annotated[
        bool, Field(description="What is still said will not change it; edits and erases may.")
    ]
    representatives: Annotated[
        list[RepresentativeRead],
        Field(description="Up to four turns such that each turn of it is near to one of them."),
    ]
    generated_by: Annotated[str, Field(description="How surprise was told.")] = GENERATED_BY


class SegmentList(BaseModel):
    """Which segments a list shows."""

    model_config = ConfigDict(extra="forbid")

    session_id: Annotated[ExternalId | None, Field(description="Only those of this session.")] = (
        None
    )
    limit: PageLimit = 50
    cursor: PageCursor = None


class UserSegmentList(SegmentList):
    """Which of a user's segments a list shows."""

    agent_id: Annotated[ExternalId | None, Field(description="Only those of this agent.")] = None
