"""Profiles on their way out, and documents on their way to the database and back."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from app.kit.body import Body
from app.profiles.kernel.documents import Line, Portrait, Profile, Shade

PROFILE: TypeAdapter[Profile] = TypeAdapter(Profile)
SHADE: TypeAdapter[Shade] = TypeAdapter(Shade)
PORTRAIT: TypeAdapter[Portrait] = TypeAdapter(Portrait)
LINES: TypeAdapter[list[Line]] = TypeAdapter(list[Line])

Sources = Annotated[list[UUID], Field(description="Memories it was made of.")]
GeneratedBy = Annotated[
    str, Field(description="`llm:<model>` or `deterministic:<method>`.", examples=["llm:gemma"])
]


class LineRead(BaseModel):
    """A line of a summary."""

    day: Annotated[date | None, Field(description="When it was said.")]
    text: str
    source_ids: Sources


class TermRead(BaseModel):
    """A word, and how often it was said."""

    text: str
    count: int


class PortraitRead(BaseModel):
    """What can be counted; traits, mood and strategy only where a language model is at work."""

    keywords: list[TermRead]
    names: Annotated[list[TermRead], Field(description="Frequent names.")]
    active_hours: Annotated[
        list[int], Field(description="Messages by hour of the owner's day, from 0 to 23.")
    ]
    days: Annotated[int, Field(description="Days that were counted.")]
    traits: str | None
    mood: str | None
    strategy: Annotated[str | None, Field(description="How an assistant may best answer.")]
    generated_by: GeneratedBy


class BiographyRead(BaseModel):
    """All shades in a few sentences."""

    third_person: str
    second_person: str
    generated_by: GeneratedBy


class MomentRead(BaseModel):
    """An entry of a timeline: how one verbatim memory begins."""

    at: datetime
    text: str
    memory_id: UUID


class ShadeRead(BaseModel):
    """One side of a person: a topic their memories keep coming back to."""

    id: UUID
    name: str
    aspect: str | None
    icon: str | None
    description: str
    description_second_person: str
    content: str
    content_second_person: str
    confidence: Annotated[int, Field(ge=1, le=5, description="5 is very high, 1 very low.")]
    size: Annotated[int, Field(description="Memories that belong to it.")]
    timeline: list[MomentRead]
    source_ids: Annotated[list[UUID], Field(description="Memories that its content quotes.")]
    merged_from: list[UUID]
    generated_by: GeneratedBy


class ProfileRead(BaseModel):
    """A version of a profile; `version` 0 is the empty one before the first."""

    version: int
    created_at: datetime | None
    generated_by: GeneratedBy | None
    biography: BiographyRead
    status: Annotated[list[LineRead], Field(description="What the last days were about.")]
    portrait: PortraitRead
    summary: list[LineRead]
    shades: list[ShadeRead]


class VersionRead(BaseModel):
    """A version in a list."""

    version: int
    created_at: datetime
    is_full: Annotated[bool, Field(description="All topics were found anew.")]
    shades: int
    generated_by: GeneratedBy


class TextChange(BaseModel):
    """A text that is another one now."""

    before: str
    after: str


class ShadeChange(BaseModel):
    """A shade that both versions have, and what of it differs."""

    id: UUID
    name: TextChange | None
    description: TextChange | None
    content: TextChange | None
    size: Annotated[list[int], Field(description="Before and after.")]
    confidence: Annotated[list[int], Field(description="Before and after.")]


class ProfileDiff(BaseModel):
    """What differs between two versions."""

    from_version: int
    to_version: int
    biography: TextChange | None
    shades_added: list[ShadeRead]
    shades_removed: list[ShadeRead]
    shades_changed: list[ShadeChange]
    summary_added: list[str]
    summary_removed: list[str]


class DayRead(BaseModel):
    """One day, condensed."""

    day: date
    lines: list[LineRead]
    portrait: PortraitRead
    generated_by: GeneratedBy
    updated_at: datetime


class ProfileRefresh(Body):
    """How thoroughly a profile is renewed."""

    full: Annotated[bool, Field(strict=True, description="Find all topics anew.")] = False


class RefreshStarted(BaseModel):
    """The job that renews a profile."""

    job_id: UUID


class TrainingMessage(BaseModel):
    """One turn of an example."""

    role: Literal["system", "user", "assistant"]
    content: str


class TrainingExample(BaseModel):
    """One line of an export for supervised fine-tuning."""

    messages: list[TrainingMessage]
    source_ids: list[UUID]
    generated_by: str


Document = dict[str, Any]
