"""Profiles on their way out, and documents on their way to the database and back."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

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
    count: Annotated[int, Field(description="In how many memories it stands.")]


class PortraitRead(BaseModel):
    """What can be counted; traits, mood and strategy only where a language model is at work."""

    keywords: Annotated[list[TermRead], Field(description="What recurs, most frequent first.")]
    names: Annotated[list[TermRead], Field(description="Frequent names.")]
    active_hours: Annotated[
        list[int], Field(description="Messages by hour of the owner's day, from 0 to 23.")
    ]
    days: Annotated[int, Field(description="Days that were counted.")]
    traits: Annotated[
        str | None,
        Field(description="Written by a language model only; else null: traits are never guessed."),
    ]
    mood: Annotated[str | None, Field(description="Written by a language model only; else null.")]
    strategy: Annotated[str | None, Field(description="How an assistant may best answer.")]
    generated_by: GeneratedBy


class BiographyRead(BaseModel):
    """All shades in a few sentences."""

    third_person: Annotated[str, Field(description='About the owner: "They often speak of …".')]
    second_person: Annotated[str, Field(description='To the owner: "You often speak of …".')]
    generated_by: GeneratedBy
    is_current: Annotated[
        bool,
        Field(description="False: an earlier one, as the language model failed to write it anew."),
    ]


class MomentRead(BaseModel):
    """An entry of a timeline: how one verbatim memory begins."""

    at: datetime
    text: str
    memory_id: UUID


class ShadeRead(BaseModel):
    """One side of a person: a topic their memories keep coming back to."""

    id: UUID
    name: str
    aspect: Annotated[
        str | None, Field(description="A role's nickname; null without a language model.")
    ]
    icon: Annotated[str | None, Field(description="A sign for it; null without a language model.")]
    description: Annotated[str, Field(description="One sentence.")]
    description_second_person: Annotated[str, Field(description="The same, said to the owner.")]
    content: str
    content_second_person: Annotated[str, Field(description="The content, said to the owner.")]
    confidence: Annotated[int, Field(ge=1, le=5, description="5 is very high, 1 very low.")]
    size: Annotated[int, Field(description="Memories that belong to it.")]
    timeline: Annotated[
        list[MomentRead],
        Field(description="What it stands on: each entry cites a verbatim memory."),
    ]
    source_ids: Annotated[list[UUID], Field(description="Memories that its content quotes.")]
    merged_from: Annotated[list[UUID], Field(description="Ids of the shades it was merged from.")]
    generated_by: GeneratedBy


class ProfileRead(BaseModel):
    """A version of a profile; `version` 0 is the empty one before the first."""

    version: Annotated[int, Field(description="Counts from 1.")]
    created_at: datetime | None
    generated_by: Annotated[
        GeneratedBy | None, Field(description="`llm:MODEL` or `deterministic:METHOD`.")
    ]
    biography: Annotated[BiographyRead, Field(description="Built from the shades.")]
    status: Annotated[list[LineRead], Field(description="What the last days were about.")]
    portrait: Annotated[PortraitRead, Field(description="What all days say of the owner.")]
    summary: Annotated[
        list[LineRead], Field(description="What happened so far, each line with its sources.")
    ]
    shades: Annotated[list[ShadeRead], Field(description="Topics of the owner, the surest first.")]


class VersionRead(BaseModel):
    """A version in a list."""

    version: Annotated[int, Field(description="Counts from 1.")]
    created_at: datetime
    is_full: Annotated[bool, Field(description="All topics were found anew.")]
    shades: Annotated[int, Field(description="How many shades it has.")]
    generated_by: GeneratedBy


class TextChange(BaseModel):
    """A text that is another one now."""

    before: Annotated[str, Field(description="As it was.")]
    after: Annotated[str, Field(description="As it is.")]


class ShadeChange(BaseModel):
    """A shade that both versions have, and what of it differs."""

    id: UUID
    name: TextChange | None
    description: Annotated[TextChange | None, Field(description="Null: unchanged.")]
    content: TextChange | None
    size: Annotated[list[int], Field(description="Before and after.")]
    confidence: Annotated[list[int], Field(description="Before and after.")]


class ProfileDiff(BaseModel):
    """What differs between two versions."""

    from_version: Annotated[int, Field(description="The earlier version.")]
    to_version: Annotated[int, Field(description="The later version.")]
    biography: Annotated[TextChange | None, Field(description="Null: unchanged.")]
    shades_added: Annotated[list[ShadeRead], Field(description="Names of shades that are new.")]
    shades_removed: Annotated[list[ShadeRead], Field(description="Names of shades that are gone.")]
    shades_changed: Annotated[
        list[ShadeChange], Field(description="Shades that are in both and differ.")
    ]
    summary_added: Annotated[list[str], Field(description="Lines that are new.")]
    summary_removed: Annotated[list[str], Field(description="Lines that are gone.")]


class DayRead(BaseModel):
    """One day, condensed."""

    day: Annotated[date, Field(description="A calendar day in the owner's time zone.")]
    lines: Annotated[
        list[LineRead], Field(description="The summary, line by line, each with its sources.")
    ]
    portrait: Annotated[
        PortraitRead, Field(description="What the day says of the owner; null: none was made.")
    ]
    generated_by: GeneratedBy
    updated_at: datetime


class ProfileRefresh(Body):
    """How thoroughly a profile is renewed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"full": True}]})

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
