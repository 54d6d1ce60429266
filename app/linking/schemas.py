"""Notes, links and evolutions on their way in and out."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.kit.pagination import PageCursor, PageLimit
from app.kit.text import ExternalId
from app.linking.kernel.notes import Note
from app.linking.kernel.undoing import State

Action = Literal["strengthen", "update_neighbor"]
LinkKind = Literal["similar", "suggested"]

DETERMINISTIC_NOTE = "deterministic:tf-idf"
DETERMINISTIC_LINK = "deterministic:mutual-nearest"


class NewNote(NamedTuple):
    """A note to be stored."""

    ordinal: int
    agent_id: str | None
    note: Note
    category: str | None
    generated_by: str
    made_from: bytes


class NoteState(BaseModel):
    """What of a note evolves."""

    model_config = ConfigDict(from_attributes=True)

    keywords: Annotated[list[str], Field(description="Most important first.")]
    tags: Annotated[list[str], Field(description="Broad categories.")]
    context: Annotated[str, Field(description="What it is about, in a sentence.")]

    def plain(self) -> State:
        """Return it as the kernel takes it."""
        return State(tuple(self.keywords), tuple(self.tags), self.context)


class NewLink(NamedTuple):
    """A link to be stored; ``source`` is the later memory."""

    source: int
    target: int
    kind: LinkKind
    reason: str
    weight: float
    generated_by: str
    evolution_no: int | None


LinkFound = NewLink
"""A link as it is held."""


class NewEvolution(BaseModel):
    """A change of a note to be put on record."""

    number: int
    id: UUID
    trigger: int
    target: int
    action: Action
    sources: list[int]
    before: NoteState
    after: NoteState
    generated_by: str


class NoteRead(BaseModel):
    """What is noted of a memory."""

    memory_id: UUID
    keywords: Annotated[list[str], Field(description="Most telling first.")]
    tags: Annotated[list[str], Field(description="Broad topics.")]
    context: Annotated[str, Field(description="What it is about, in a sentence.")]
    category: Annotated[str | None, Field(description="The nearest broad topic, if any is near.")]
    generated_by: Annotated[
        str, Field(description="What made the note: `llm:<model>` or `deterministic:<method>`.")
    ]
    version: Annotated[int, Field(ge=1, description="Grows with every change.")]
    updated_at: datetime


class NodeRead(BaseModel):
    """A memory in a graph, with its note."""

    id: UUID
    content: str
    keywords: Annotated[list[str], Field(description="Most telling first.")]
    tags: Annotated[list[str], Field(description="Broad topics.")]
    context: Annotated[str, Field(description="What it is about, in a sentence.")]


class LinkRead(BaseModel):
    """Two memories that belong together; the later one points to the earlier one."""

    source: Annotated[UUID, Field(description="The later memory.")]
    target: Annotated[UUID, Field(description="The earlier memory.")]
    kind: Annotated[
        LinkKind,
        Field(description="`similar`: each is among the other's nearest. `suggested`: by a model."),
    ]
    reason: Annotated[str, Field(description="Why they are linked.")]
    weight: Annotated[float, Field(description="Cosine similarity of both notes, in [-1, 1].")]
    generated_by: Annotated[str, Field(description="What made the link.")]


class GraphRead(BaseModel):
    """Memories and the links between them."""

    nodes: Annotated[list[NodeRead], Field(description="Notes, newest first.")]
    links: Annotated[list[LinkRead], Field(description="Links between these nodes.")]


class LinkQuery(BaseModel):
    """How far from a memory links are followed."""

    model_config = ConfigDict(extra="forbid")

    depth: Annotated[int, Field(ge=1, le=2, description="2: also the links of what is linked.")] = 1


class GraphQuery(BaseModel):
    """How much of a graph is shown."""

    model_config = ConfigDict(extra="forbid")

    agent_id: Annotated[ExternalId | None, Field(description="Only memories of this agent.")] = None
    limit: Annotated[int, Field(ge=1, le=1_000, description="Nodes, at most.")] = 200


class EvolutionQuery(BaseModel):
    """Which part of a list is shown."""

    model_config = ConfigDict(extra="forbid")

    limit: PageLimit = 50
    cursor: PageCursor = None


class EvolutionRead(BaseModel):
    """One change of a note because of another memory."""

    id: UUID
    action: Annotated[
        Action,
        Field(
            description="`strengthen`: the note was linked, its tags joined with those of what it "
            "is linked to. `update_neighbor`: a new memory changed what is noted of this one."
        ),
    ]
    trigger_id: Annotated[UUID, Field(description="The memory that caused it.")]
    before: Annotated[NoteState, Field(description="The note as it was.")]
    after: Annotated[NoteState, Field(description="The note as it became.")]
    generated_by: Annotated[str, Field(description="What made the change.")]
    at: datetime
    reverted_at: Annotated[datetime | None, Field(description="Null: it is in force.")]


def state_of(stored: dict[str, Any]) -> NoteState:
    """Return a note's state from the log."""
    return NoteState.model_validate(stored)
