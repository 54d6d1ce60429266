"""Memories on their way in and out."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic.json_schema import SkipJsonSchema

from app.kit.body import Body
from app.kit.pagination import PageCursor, PageLimit
from app.kit.text import AwareTime, CleanText, ExternalId, Label


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory to be written."""

    ordinal: int
    id: UUID
    kind: str
    content: str
    occurred_at: datetime
    session_id: str | None = None
    agent_id: str | None = None
    role: str | None = None
    name: str | None = None
    place: str | None = None
    expires_at: datetime | None = None
    importance: float | None = None
    pinned: bool = False
    generated_by: str | None = None
    context_ordinal: int | None = None
    infer: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)
    episode_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DerivedMemory:
    """A memory that a mechanism makes of others.

    It has no keys: the default recall never meets it, so nothing verbatim is crowded out.
    """

    kind: str
    content: str
    occurred_at: datetime
    generated_by: str
    sources: tuple[int, ...]
    """Ordinals of the memories it was made from; at least one."""
    agent_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


Embedding = Literal["ready", "pending", "none"]


class MemoryRead(BaseModel):
    """A memory as it is held now."""

    id: UUID
    kind: str
    content: str
    session_id: str | None
    agent_id: str | None
    role: str | None
    name: str | None
    place: str | None
    occurred_at: datetime
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    expires_at: datetime | None
    importance: Annotated[float | None, Field(description="0 to 1.")]
    pinned: bool
    generated_by: Annotated[str | None, Field(description="What made it; null: said verbatim.")]
    replaced_by: Annotated[
        UUID | None,
        Field(
            description="The memory that took the place of this one, which a mechanism made; "
            "null: it stands."
        ),
    ]
    metadata: dict[str, Any]
    embedding: Annotated[
        Embedding,
        Field(description="Whether recall finds it by vector; `none` while it is archived."),
    ]

    @classmethod
    def of(cls, row: object, embedding: Embedding) -> "MemoryRead":
        """Show a row of ``memories``."""
        plain = cls.model_fields.keys() - {"metadata", "embedding"}
        columns = {name: getattr(row, name) for name in plain}
        return cls(**columns, metadata=getattr(row, "metadata_"), embedding=embedding)  # noqa: B009


Absent = SkipJsonSchema[None]
"""What a member is that was left out; nobody may send it."""


def _left_out(schema: dict[str, Any]) -> None:
    """Keep a default that nobody may send out of the contract."""
    schema.pop("default", None)


class MemoryUpdate(Body):
    """What may be changed; members left out stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": "Miso is a grey cat."}]})

    content: Annotated[
        Annotated[CleanText, Field(min_length=1, description="The text, at most 1 MiB.")] | Absent,
        Field(json_schema_extra=_left_out),
    ] = None
    occurred_at: Annotated[AwareTime | Absent, Field(json_schema_extra=_left_out)] = None
    importance: Annotated[float | None, Field(strict=True, ge=0, le=1)] = None
    pinned: Annotated[StrictBool | Absent, Field(json_schema_extra=_left_out)] = None
    expires_at: AwareTime | None = None
    place: Label | None = None
    metadata: Annotated[dict[str, Any] | Absent, Field(json_schema_extra=_left_out)] = None

    @model_validator(mode="after")
    def _not_null(self) -> Self:
        """Refuse null where a memory always has a value."""
        for member in ("content", "occurred_at", "pinned", "metadata"):
            if member in self.model_fields_set and getattr(self, member) is None:
                msg = f"{member} must not be null"
                raise ValueError(msg)
        return self


class MemoryList(BaseModel):
    """Which memories a list shows."""

    model_config = ConfigDict(extra="forbid")

    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None
    session_id: ExternalId | None = None
    kind: Annotated[CleanText | None, Field(max_length=32)] = None
    state: Literal["live", "archived", "all"] = "live"
    limit: PageLimit = 50
    cursor: PageCursor = None


class EventRead(BaseModel):
    """One entry of a memory's history."""

    model_config = ConfigDict(from_attributes=True)

    kind: Annotated[str, Field(examples=["created", "edited", "archived", "restored"])]
    at: datetime
    detail: Annotated[
        dict[str, Any], Field(description="For `edited`: the members as they were before.")
    ]


class EmbeddingModelRead(BaseModel):
    """An embedder whose vectors are kept."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    dimensions: int
    state: Annotated[
        Literal["building", "active", "retired"], Field(description="Recall uses the active one.")
    ]
    uses_bits: Annotated[
        bool, Field(description="Whether large owners are searched by sign bits first.")
    ]
    bit_agreement: Annotated[
        float | None,
        Field(description="Exact neighbours that the bits found in the check, as a share."),
    ]


class Reembed(Body):
    """Which model shall compute all vectors anew."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "bge-small-en-v1.5"}]})

    model: Label


class ReembedStarted(BaseModel):
    """What was queued."""

    model: str
    jobs: Annotated[int, Field(ge=0, description="One for each owner that lacks vectors.")]
