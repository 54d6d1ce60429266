"""Messages on their way in and out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class NewEpisode:
    """A message to be written."""

    id: UUID
    ordinal: int
    session_id: str | None
    seq: int | None
    agent_id: str | None
    role: str | None
    name: str | None
    content: str
    occurred_at: datetime
    metadata: dict[str, Any]
    client_key: str | None
    body_digest: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Alias:
    """A client key under which the words of an episode were sent again."""

    client_key: str
    episode_id: UUID
    body_digest: bytes
    ordinal: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in its session: its number, and the message before it."""

    seq: int | None
    previous_ordinal: int | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as one agent knows it."""

    session_id: str
    ordinal: int
    messages: int
    first_at: datetime
    last_at: datetime
    created_at: datetime


class SessionRead(BaseModel):
    """One conversation."""

    model_config = ConfigDict(from_attributes=True)

    session_id: str
    messages: Annotated[int, Field(description="How many messages it holds.")]
    first_at: Annotated[datetime, Field(description="Time of the earliest message.")]
    last_at: Annotated[datetime, Field(description="Time of the latest message.")]
    created_at: datetime


class MessageRead(BaseModel):
    """One message, verbatim."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    session_id: str | None
    seq: Annotated[int | None, Field(description="Its number in the session, from 1.")]
    role: str | None
    name: str | None
    content: str
    occurred_at: datetime
    created_at: datetime
    metadata: Annotated[dict[str, Any], Field(validation_alias="metadata_")]
