"""Facts on their way in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.facts.kernel.coverage import SPAN, State
from app.facts.kernel.reading import Claim
from app.kit.pagination import PageCursor, PageLimit
from app.kit.text import AwareTime, CleanText, ExternalId

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
    since: Annotated[AwareTime, Field(description="Start of the first step.")]
    until: Annotated[AwareTime, Field(description="End of the last step.")]
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
