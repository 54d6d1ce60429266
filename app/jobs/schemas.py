"""What crosses the wire and the queue."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.jobs.kernel import JobStatus
from app.kit.errors import InvalidCursorError
from app.kit.text import ExternalId, Label

QUEUE = "default"
RUN = "remembrancer.run"
"""The one task the queue knows; which of ours it runs stands in its arguments."""


class OwnerName(Protocol):
    """A user or an agent as callers name it."""

    @property
    def kind(self) -> Literal["user", "agent"]:
        """Whether it is a user or an agent."""

    @property
    def external_id(self) -> str:
        """The caller's own id of it."""


class Caller(Protocol):
    """Whoever holds the key of a request, as far as jobs care."""

    @property
    def tenant_id(self) -> UUID:
        """The caller's tenant."""

    @property
    def bound(self) -> OwnerName | None:
        """The one user or agent whose jobs the caller may see; ``None``: the whole tenant's."""


class TaskRead(BaseModel):
    """One step of a job."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(examples=["memories.embed"])
    status: JobStatus
    attempts: int = Field(ge=0)
    error: str | None = Field(description="Why the last attempt failed.", examples=[None])


class JobRead(BaseModel):
    """Background work: queued, running, then succeeded, failed or cancelled."""

    id: UUID
    kind: str = Field(examples=["enrich"])
    status: JobStatus
    user_id: str | None = Field(None, description="The user whose memories it is about.")
    agent_id: str | None = Field(None, description="The agent it is about, or that asked for it.")
    attempts: int = Field(ge=0, description="Attempts of the task that needed most.")
    progress: Annotated[float, Field(ge=0, le=1, description="Share of its tasks that is done.")]
    error: str | None = Field(description="Why it failed, or is being retried.", examples=[None])
    cancel_requested: bool = Field(description="A running task was told to stop.")
    tasks: list[TaskRead] = Field(description="Its tasks, in order.")
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobQuery(BaseModel):
    """Which jobs a list shows, and which part of it."""

    user_id: ExternalId | None = Field(None, description="Only jobs about this user.")
    agent_id: ExternalId | None = Field(
        None, description="Only jobs about this agent, or that it asked for."
    )
    status: JobStatus | None = Field(None, description="Only jobs in this state.")
    kind: Label | None = Field(None, description="Only jobs of this kind.")
    limit: int = Field(50, ge=1, le=200, description="Items a page.")
    cursor: str | None = Field(
        None, max_length=200, description="`next_cursor` of the page before."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedTask:
    """One row of the queue: which task of which job."""

    queue_id: int
    tenant_id: UUID
    owner_id: int | None
    job_id: UUID
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Later:
    """When a task is to run again; ``priority`` ``None``: in its old place."""

    at: datetime
    priority: int | None = None


def encode_cursor(job_id: UUID) -> str:
    """Return the cursor of the jobs older than ``job_id``."""
    return base64.urlsafe_b64encode(job_id.bytes).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> UUID | None:
    """Return the job a cursor stands for; ``None`` for the first page."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        msg = "The cursor is not one of this list's."
        raise InvalidCursorError(msg) from error
