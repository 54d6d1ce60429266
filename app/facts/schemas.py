"""Facts on their way in and out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.facts.kernel.coverage import SPAN, State
from app.facts.kernel.reading import Claim
from app.kit.body import Body
from app.kit.pagination import PageCursor, PageLimit
from app.kit.text import AwareTime, CleanText, ExternalId
from app.tenants.policies import ConflictPolicy

MOST_STEPS = 400
"""Steps of one timeline, at most."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim of one memory before it is stored."""

    claim: Claim
    source: int
    """Ordinal of the memory."""
    agent_id: str | None
    valid_from: datetime
    observed_at: datetime
    """When it was said."""
    known_from: datetime
    confidence: float
    generated_by: str


class Group(NamedTuple):
    """What is laid out together: an agent's, of a subject, one relation (and object)."""

    agent_id: str | None
    subject_key: str
    group_key: str


@dataclass(frozen=True, slots=True)
class Found:
    """A fact as it is held, with the live memories that it stands on."""

    fact_no: int
    id: UUID
    subject: str
    relation: str
    object: str
    is_functional: bool
    valid_from: datetime
    valid_to: datetime | None
    known_from: datetime
    known_to: datetime | None
    confidence: float
    generated_by: str
    source_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which of an owner's facts a list shows, those learned last first."""

    limit: int
    now: datetime
    agent_id: str | None = None
    subject: str | None = None
    relation: str | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None
    before: int | None = None


Detector = Literal["statement", "fact", "denial"]
Winner = Literal["newer", "older", "both"]
ConflictStatus = Literal["open", "resolved"]


class Named(NamedTuple):
    """A clause that a memory denies."""

    ordinal: int
    clause: str
    stems: frozenset[str]


class Pair(NamedTuple):
    """Two memories that contradict each other, older and newer by when they were said."""

    older: int
    newer: int
    detector: Detector
    score: float


class Contested(NamedTuple):
    """A conflict as recall sees it; ``winner`` is ``None`` while it is open."""

    older: int
    newer: int
    winner: Literal["newer", "older"] | None
    score: float
    older_id: UUID
    newer_id: UUID


@dataclass(frozen=True, slots=True)
class ConflictListing:
    """Which of an owner's conflicts a list shows, those found last first."""

    limit: int
    now: datetime
    policy: ConflictPolicy
    status: Literal["open", "resolved", "all"] = "open"
    agent_id: str | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class ConflictFound:
    """A conflict with both sides, and which of them holds."""

    conflict_no: int
    id: UUID
    detector: Detector
    score: float
    detected_at: datetime
    resolved_at: datetime | None
    resolution: Winner | None
    winner: Winner | None
    older_id: UUID
    older_content: str
    older_name: str | None
    older_role: str | None
    older_at: datetime
    newer_id: UUID
    newer_content: str
    newer_name: str | None
    newer_role: str | None
    newer_at: datetime


class FactRead(BaseModel):
    """What held of a subject, and since when we know it."""

    id: UUID
    subject: Annotated[str, Field(description="Whom or what it is about.")]
    relation: Annotated[str, Field(description="What is told of it.", examples=["lives in"])]
    object: Annotated[str, Field(description="What holds of it.", examples=["Berlin"])]
    is_functional: Annotated[
        bool, Field(description="Whether it holds for one object at a time: a newer one ends it.")
    ]
    valid_from: Annotated[datetime, Field(description="Since when it holds in the world.")]
    valid_to: Annotated[
        datetime | None, Field(description="Since when it holds no longer; null: it still does.")
    ]
    known_from: Annotated[datetime, Field(description="When we learned that it is so.")]
    known_to: Annotated[
        datetime | None, Field(description="When we learned otherwise; null: it is what we know.")
    ]
    confidence: Annotated[float, Field(ge=0, le=1, description="Grows with what says so.")]
    source_ids: Annotated[list[UUID], Field(description="The memories it stands on.")]
    generated_by: Annotated[
        str, Field(description="What read it.", examples=["deterministic:statements"])
    ]

    @classmethod
    def of(cls, found: Found) -> Self:
        """Show a fact."""
        return cls(
            id=found.id,
            subject=found.subject,
            relation=found.relation,
            object=found.object,
            is_functional=found.is_functional,
            valid_from=found.valid_from,
            valid_to=found.valid_to,
            known_from=found.known_from,
            known_to=found.known_to,
            confidence=found.confidence,
            source_ids=list(found.source_ids),
            generated_by=found.generated_by,
        )


KnownAt = Annotated[
    AwareTime | None, Field(description="As we knew it then; null: as we know it now.")
]


class FactList(BaseModel):
    """Which facts a list shows."""

    model_config = ConfigDict(extra="forbid")

    user_id: ExternalId | None = None
    agent_id: Annotated[
        ExternalId | None,
        Field(description="Alone: this agent's facts; with a user: the user's, of this agent."),
    ] = None
    subject: Annotated[
        CleanText | None, Field(max_length=300, description="Whom or what they are about.")
    ] = None
    relation: Annotated[
        CleanText | None, Field(max_length=200, description="Such as `lives in`.")
    ] = None
    as_of: Annotated[
        AwareTime | None,
        Field(description="Only what held at that time; null: whenever it held."),
    ] = None
    known_at: KnownAt = None
    limit: PageLimit = 50
    cursor: PageCursor = None


_FIRST_YEAR = 100
_LAST_YEAR = 9_900


class TimelineQuery(BaseModel):
    """Which timeline is asked for."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None
    subject: Annotated[
        CleanText, Field(min_length=1, max_length=300, description="Whom or what it is about.")
    ]
    relation: Annotated[
        CleanText, Field(min_length=1, max_length=200, description="Such as `lives in`.")
    ]
    since: Annotated[
        AwareTime, Field(description="Start of the first step; year 100 at the earliest.")
    ]
    until: Annotated[AwareTime, Field(description="End of the last step; year 9900 at the latest.")]
    step: Annotated[
        Literal["year", "month", "day"], Field(description="Steps are those of the calendar, UTC.")
    ] = "year"
    span: Annotated[
        int,
        Field(ge=0, le=12, description="Steps to look to each side of one without observation."),
    ] = SPAN
    known_at: KnownAt = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse a timeline that ends before it begins."""
        if self.until <= self.since:
            msg = "until must be later than since"
            raise ValueError(msg)
        # Beyond these there may be no step before or behind to look at.
        if self.since.year < _FIRST_YEAR or self.until.year > _LAST_YEAR:
            msg = f"since and until must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}"
            raise ValueError(msg)
        return self


class CandidateRead(BaseModel):
    """An object that may have held, and where it was seen."""

    object: Annotated[str, Field(description="What may have held.")]
    steps_away: Annotated[
        int, Field(description="0: in this step; below 0: so many steps before; above: behind.")
    ]
    seen_at: Annotated[datetime, Field(description="When it was first seen in its step.")]
    source_ids: Annotated[list[UUID], Field(description="The memories that say so.")]


class StepRead(BaseModel):
    """One step of a timeline."""

    start: Annotated[datetime, Field(description="Its first moment.")]
    end: Annotated[datetime, Field(description="The first moment behind it.")]
    state: Annotated[
        State,
        Field(
            description="`asserted`: a memory says so; `interpolated`: none does, but the nearest "
            "on both sides agree; `contradictory`: memories of this step, or the nearest on both "
            "sides, differ; `unknown`: one side or both say nothing."
        ),
    ]
    objects: Annotated[
        list[str], Field(description="What held; several where that is not clear; none: unknown.")
    ]
    candidates: Annotated[
        list[CandidateRead], Field(description="What that stands on, the nearest first.")
    ]


class Timeline(BaseModel):
    """How a relation went on, step by step."""

    subject: Annotated[str, Field(description="Whom or what it is about.")]
    relation: Annotated[str, Field(description="What is told of it.")]
    steps: Annotated[list[StepRead], Field(description="In order, without a gap.")]


class SideRead(BaseModel):
    """One side of a conflict."""

    memory_id: UUID
    content: Annotated[str, Field(description="What was said.")]
    name: str | None
    role: str | None
    occurred_at: datetime


class ConflictRead(BaseModel):
    """Two memories that contradict each other."""

    id: UUID
    status: Annotated[ConflictStatus, Field(description="`open` while neither side holds.")]
    winner: Annotated[
        Winner | None, Field(description="Which side holds; `both`: it is no contradiction.")
    ]
    resolved_by: Annotated[
        str | None,
        Field(
            description="`request`, or the policy's rule; null: it is open.",
            examples=["newest-wins"],
        ),
    ]
    resolved_at: Annotated[datetime | None, Field(description="When a request did; else null.")]
    detector: Annotated[
        Detector,
        Field(
            description="`statement`: one statement about somebody takes another's place; `fact`: "
            "a relation of one object has another; `denial`: one says that the other never was."
        ),
    ]
    confidence: Annotated[
        float, Field(ge=0, le=1, description="How sure the detector is that both cannot hold.")
    ]
    detected_at: Annotated[datetime, Field(description="When it was found.")]
    older: Annotated[SideRead, Field(description="What was said first.")]
    newer: Annotated[SideRead, Field(description="What was said last.")]

    @classmethod
    def of(cls, found: ConflictFound, rule: str) -> Self:
        """Show a conflict under a policy's rule."""
        by_policy = None if found.winner is None else rule
        return cls(
            id=found.id,
            status="open" if found.winner is None else "resolved",
            winner=found.winner,
            resolved_by="request" if found.resolution is not None else by_policy,
            resolved_at=found.resolved_at,
            detector=found.detector,
            confidence=round(1 / (1 + math.exp(-found.score)), 4),
            detected_at=found.detected_at,
            older=SideRead(
                memory_id=found.older_id,
                content=found.older_content,
                name=found.older_name,
                role=found.older_role,
                occurred_at=found.older_at,
            ),
            newer=SideRead(
                memory_id=found.newer_id,
                content=found.newer_content,
                name=found.newer_name,
                role=found.newer_role,
                occurred_at=found.newer_at,
            ),
        )


class ConflictList(BaseModel):
    """Which conflicts a list shows."""

    model_config = ConfigDict(extra="forbid")

    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None
    status: Annotated[
        Literal["open", "resolved", "all"], Field(description="Which of them, by the policy.")
    ] = "open"
    limit: PageLimit = 50
    cursor: PageCursor = None


class ConflictOwner(BaseModel):
    """Whose conflict is meant."""

    model_config = ConfigDict(extra="forbid")

    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None


class ConflictResolve(Body):
    """What somebody decided."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"winner": "newer"}]})

    winner: Annotated[
        Winner | None,
        Field(
            description="Which side holds; `both`: it is no contradiction; null: leave it to the "
            "policy again."
        ),
    ]
