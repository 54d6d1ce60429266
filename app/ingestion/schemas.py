"""What is sent to be remembered, and what comes back."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.kit.body import Body, too_much
from app.kit.settings import MOST_ITEMS
from app.kit.text import AwareTime, CleanText, ExternalId, Label

MemoryKind = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$"),
    Field(examples=["episode"]),
]
"""What sort of memory: ``episode`` (what was said), ``fact``, ``thought``, ``summary``, …"""

Infer = Literal["auto", "none"]


class MemoryItem(Body):
    """One thing to remember: usually one message of a conversation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "content": "I adopted a grey cat called Miso.",
                    "role": "user",
                    "name": "Alice",
                    "occurred_at": "2026-01-31T09:30:00+01:00",
                    "metadata": {"channel": "web"},
                }
            ]
        },
    )

    content: Annotated[CleanText, Field(min_length=1, description="The text, at most 1 MiB.")]
    client_id: Annotated[
        ExternalId | None, Field(description="Your id of this item; a repeat is not stored twice.")
    ] = None
    session_id: Annotated[
        ExternalId | None, Field(description="The conversation; default: the request's.")
    ] = None
    role: Annotated[Label | None, Field(description="`user`, `assistant`, …")] = None
    name: Annotated[Label | None, Field(description="Who said it.")] = None
    kind: MemoryKind = "episode"
    occurred_at: Annotated[
        AwareTime | None, Field(description="When it was said; default: now.")
    ] = None
    importance: Annotated[
        float | None, Field(strict=True, ge=0, le=1, description="How much it matters, 0 to 1.")
    ] = None
    pinned: Annotated[bool, Field(strict=True, description="Never fades.")] = False
    expires_at: Annotated[
        AwareTime | None, Field(description="From then on it is no longer recalled.")
    ] = None
    place: Annotated[Label | None, Field(description="Where it was said.")] = None
    metadata: Annotated[
        dict[str, Any], Field(description="Yours, to filter by: 16 KiB as JSON, 8 levels deep.")
    ] = Field(default_factory=dict)


def _not_too_many(items: object) -> object:
    """Refuse a list before its items are looked at: each could give complaints of its own."""
    if isinstance(items, list) and len(items) > MOST_ITEMS:
        path = "items"
        raise too_much(path, f"{MOST_ITEMS} items")
    return items


class MemoriesCreate(Body):
    """Things to remember about one user, or for one agent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "alice",
                    "session_id": "chat-1",
                    "items": [
                        {"content": "I adopted a grey cat called Miso.", "role": "user"},
                        {"content": "Congratulations! How old is Miso?", "role": "assistant"},
                    ],
                }
            ]
        },
    )

    user_id: ExternalId | None = None
    agent_id: ExternalId | None = None
    session_id: ExternalId | None = None
    infer: Annotated[
        Infer,
        Field(description="`auto`: organised in the background; `none`: kept verbatim only."),
    ] = "auto"
    items: Annotated[
        list[MemoryItem],
        BeforeValidator(_not_too_many),
        Field(min_length=1, description="At most 1,000."),
    ]


class StoredItem(BaseModel):
    """What became of one item."""

    id: UUID
    client_id: str | None = None
    status: Annotated[
        Literal["created", "duplicate"],
        Field(description="`duplicate`: the same words at the same time were there already."),
    ]
    embedding: Annotated[
        Literal["ready", "pending"],
        Field(description="`pending`: found by keyword now, by vector when the job is done."),
    ]


class MemoriesStored(BaseModel):
    """The items in the order they were sent, and the job that organises them."""

    items: list[StoredItem]
    job_id: UUID | None = None
