"""What is asked about forgetting, and what is answered."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.kit.body import Body
from app.kit.text import NUMBER, AwareTime, ExternalId
from app.tenants.policies import ForgettingPolicy

Retention = Annotated[float, Field(ge=0, le=1, description="R = e^(-t/S), as computed.")]
StrengthDays = Annotated[
    float, Field(gt=0, description="S in days, with what importance adds by the policy.")
]
ElapsedDays = Annotated[float, Field(ge=0, description="t: days since the last recall.")]
FadesAt = Annotated[
    datetime | None,
    Field(description="When the policy's threshold, or its draw, is passed; null: never."),
]
RecalledAt = Annotated[
    datetime | None, Field(description="When it was last recalled, or restored; null: never.")
]
Role = Literal["recalled", "strongest", "weakest"]


class RetentionRead(BaseModel):
    """How much of a memory is retained at a moment."""

    at: Annotated[datetime, Field(description="The moment that was asked for.")]
    retention: Annotated[
        float | None,
        Field(ge=0, le=1, description="R = e^(-t/S), as computed; null before the memory was."),
    ]
    strength_days: StrengthDays
    elapsed_days: ElapsedDays
    recalled_at: RecalledAt
    fades: Annotated[
        bool,
        Field(description="False: pinned, of a kind that does not fade, or the law is `none`."),
    ]
    fades_at: FadesAt


class PreviewRequest(Body):
    """Whose memories, and by when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user_id": "alice", "at": "2026-12-31T00:00:00Z"},
                {
                    "user_id": "alice",
                    "at": "2026-12-31T00:00:00Z",
                    "policy": {"archiving": "sample", "growth_days": 7.0},
                },
            ]
        }
    )

    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None
    at: Annotated[AwareTime, Field(description="By when.")]
    policy: Annotated[
        ForgettingPolicy | None,
        Field(description="A policy to try out; null: the one in force. It is not stored."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Items a page."), NUMBER] = 50
    cursor: Annotated[
        str | None, Field(max_length=200, description="`next_cursor` of the page before.")
    ] = None


class FadedMemory(BaseModel):
    """A memory that would have faded."""

    id: UUID
    kind: str
    content: str
    occurred_at: datetime
    retention: Retention
    strength_days: StrengthDays
    elapsed_days: ElapsedDays
    recalled_at: RecalledAt
    fades_at: FadesAt
    survival: Annotated[
        float,
        Field(ge=0, le=1, description="Chance to survive from now until then by draws: e^(-Δt/S)."),
    ]


class PreviewRead(BaseModel):
    """What would fade by then; nothing was changed."""

    at: Annotated[datetime, Field(description="By when.")]
    policy: Annotated[ForgettingPolicy, Field(description="The policy that decides.")]
    archives: Annotated[
        bool,
        Field(description="Whether the policy archives what fades; else it only loses in rank."),
    ]
    examined: Annotated[int, Field(ge=0, description="Live memories that can fade.")]
    faded: Annotated[int, Field(ge=0, description="How many of them would have faded.")]
    items: list[FadedMemory]
    next_cursor: str | None = None


class RunRequest(Body):
    """Whose memories are to be looked through."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "alice"}]})

    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None


class RunQueued(BaseModel):
    """The job that forgets."""

    job_id: UUID


class RunRead(BaseModel):
    """One pass of forgetting."""

    model_config = ConfigDict(from_attributes=True)

    ran_at: Annotated[datetime, Field(description="The moment that retention was computed for.")]
    policy: Annotated[ForgettingPolicy, Field(description="As it was in force, with its seed.")]
    examined: Annotated[int, Field(ge=0, description="Live memories that could fade.")]
    archived: Annotated[int, Field(ge=0, description="How many were archived.")]


class CurvePoint(BaseModel):
    """Retention at a moment."""

    at: datetime
    retention: Retention


class Curve(BaseModel):
    """How one memory fades."""

    role: Annotated[Role, Field(description="Why it is shown.")]
    memory_id: UUID
    content: Annotated[str, Field(description="Its beginning.")]
    strength_days: StrengthDays
    recalled_at: RecalledAt
    fades_at: FadesAt
    points: Annotated[list[CurvePoint], Field(description="From a week ago to 30 days ahead.")]


class ForgettingRead(BaseModel):
    """How an owner's memories fade: a week back, thirty days ahead if nothing is recalled."""

    now: Annotated[datetime, Field(description="The moment of the answer.")]
    time_zone: str
    policy: Annotated[ForgettingPolicy, Field(description="By which memories fade.")]
    curves: Annotated[
        list[Curve],
        Field(description="Of the strongest, the weakest and the latest recalled memories."),
    ]
    runs: Annotated[list[RunRead], Field(description="The last passes, the latest first.")]
