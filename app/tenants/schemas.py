"""Who calls, and whose memories a call is about; what the room's routes take and answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.kit.body import Body
from app.kit.text import NUMBER, AwareTime, ExternalId, Label
from app.tenants import kernel
from app.tenants.policies import DEFAULT, ConflictPolicy, ForgettingPolicy, Mechanisms, Policies

OwnerKind = Literal["user", "agent"]
KeyScope = Literal["read", "write", "admin", "operator"]

# Routes take them by the converter `path`, so that an id may hold a slash, sent as %2F: every owner
# that can be named in a body can be named in a path.
UserId = Annotated[ExternalId, Path(description="The user, as the caller names it.")]
AgentId = Annotated[ExternalId, Path(description="The agent, as the caller names it.")]


class OwnerName(NamedTuple):
    """An owner as callers name it."""

    kind: OwnerKind
    external_id: str


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of the key of a request. ``scopes`` holds the included ones too."""

    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[str]
    bound: OwnerName | None = None
    requests_per_minute: int | None = None
    daily_items: int | None = None


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What holds for an owner: its own settings, else its tenant's."""

    time_zone: str
    language: str
    policies: Policies = DEFAULT

    @property
    def text_search_config(self) -> str:
        """Postgres' text search configuration for the language."""
        return kernel.TEXT_SEARCH[self.language]


@dataclass(frozen=True, slots=True)
class Scope:
    """One owner of one tenant: what a query may see. First argument of every query."""

    tenant_id: UUID
    owner_id: int
    keys: int = 0
    """How many searchable keys the owner has; decides the dense path."""
    local: LocalSettings | None = None
    """Time zone and language, where they were read together with the scope."""
    votes: int = 0
    """How often hits were voted on, where it was read together with the scope."""


def _time_zone(name: str) -> str:
    if not kernel.is_time_zone(name):
        msg = "must be a name from the time zone database, such as Europe/Berlin"
        raise ValueError(msg)
    return name


def _language(code: str) -> str:
    if code not in kernel.TEXT_SEARCH:
        msg = "must be one of: " + ", ".join(kernel.TEXT_SEARCH)
        raise ValueError(msg)
    return code


TimeZone = Annotated[
    str,
    AfterValidator(_time_zone),
    Field(max_length=64, description="IANA time zone.", examples=["Europe/Berlin"]),
]
Language = Annotated[
    str,
    AfterValidator(_language),
    Field(
        max_length=8,
        description="ISO 639 code; decides how words are stemmed. `und`: not at all.",
        examples=["en"],
        json_schema_extra={"enum": list(kernel.TEXT_SEARCH)},
    ),
]
Limit = Annotated[int, Field(ge=1, le=2_000_000_000), NUMBER]


class TenantSettings(Body):
    """What holds for a tenant's owners that set nothing else."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [{"time_zone": "Europe/Berlin", "language": "de"}]},
    )

    time_zone: TimeZone = "UTC"
    language: Language = "en"
    forgetting: Annotated[ForgettingPolicy, Field(description="How memories fade.")] = (
        ForgettingPolicy()
    )
    mechanisms: Annotated[Mechanisms, Field(description="What runs in the background.")] = (
        Mechanisms()
    )
    conflicts: Annotated[
        ConflictPolicy, Field(description="Which side holds of two memories that contradict.")
    ] = ConflictPolicy()


class OwnerSettingsUpdate(Body):
    """An owner's own settings; `null` or absent: the tenant's. A policy counts as a whole."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"time_zone": "Asia/Tokyo", "language": None}]}
    )

    time_zone: TimeZone | None = None
    language: Language | None = None
    forgetting: Annotated[
        ForgettingPolicy | None, Field(description="How memories fade; null: the tenant's policy.")
    ] = None
    mechanisms: Annotated[
        Mechanisms | None,
        Field(description="What runs in the background; null: as the tenant says."),
    ] = None
    conflicts: Annotated[
        ConflictPolicy | None,
        Field(description="Which side holds of a contradiction; null: as the tenant says."),
    ] = None


class OwnerSettings(BaseModel):
    """An owner's own settings, and what holds for it."""

    time_zone: TimeZone | None
    language: Language | None
    forgetting: Annotated[ForgettingPolicy | None, Field(description="Null: the tenant's.")]
    mechanisms: Annotated[Mechanisms | None, Field(description="Null: the tenant's.")]
    conflicts: Annotated[ConflictPolicy | None, Field(description="Null: the tenant's.")]
    effective: TenantSettings


class TenantCreate(Body):
    """A new tenant."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Acme support bot", "language": "en"}]}
    )

    name: Annotated[Label, Field(examples=["Acme support bot"])]
    time_zone: TimeZone = "UTC"
    language: Language = "en"


class TenantRead(BaseModel):
    """A tenant: the unit of isolation."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(validation_alias="tenant_id")
    name: str
    time_zone: str
    language: str
    created_at: datetime


class KeyCreate(Body):
    """A new API key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "production bot", "scopes": ["write"]},
                {"name": "Alice's phone", "scopes": ["read"], "user_id": "alice"},
            ]
        }
    )

    name: Annotated[Label, Field(examples=["production bot"])]
    scopes: Annotated[
        list[KeyScope],
        Field(
            min_length=1,
            max_length=4,
            description="`write` includes `read`, `admin` includes both, `operator` all.",
            examples=[["write"]],
        ),
    ]
    user_id: ExternalId | None = Field(
        None, description="Bind the key to one user: it may name no other.", examples=[None]
    )
    agent_id: ExternalId | None = Field(
        None, description="Bind the key to one agent: each request must name it.", examples=[None]
    )
    requests_per_minute: Limit | None = Field(None, description="`null`: the server's default.")
    daily_items: Limit | None = Field(None, description="`null`: the server's default.")
    expires_at: AwareTime | None = Field(None, examples=[None])

    @model_validator(mode="after")
    def _bound_keys_are_small(self) -> Self:
        if self.user_id is not None and self.agent_id is not None:
            msg = "a key is bound to a user or to an agent, not to both"
            raise ValueError(msg)
        # Else it could make itself a key that is not bound.
        if self.bound is not None and "admin" in kernel.implied(self.scopes):
            msg = "a bound key has no `admin` or `operator` scope"
            raise ValueError(msg)
        return self

    @property
    def bound(self) -> OwnerName | None:
        """Whom the key is bound to."""
        if self.user_id is not None:
            return OwnerName("user", self.user_id)
        return OwnerName("agent", self.agent_id) if self.agent_id is not None else None


class KeyRead(BaseModel):
    """An API key without its secret."""

    id: UUID
    name: str
    hint: str = Field(description="Last four characters of the key.")
    scopes: list[KeyScope]
    user_id: str | None
    agent_id: str | None
    requests_per_minute: int | None
    daily_items: int | None
    created_at: datetime
    expires_at: datetime | None


class KeyCreated(KeyRead):
    """A new API key. The only answer that holds the secret."""

    key: str = Field(examples=["rk_9sJt3n0mXo5tq2Zk1cW8vRy7LdUeHf4aBgNiPxKj"])


class TenantCreated(TenantRead):
    """A new tenant and its first key, which has the scope `admin`."""

    key: KeyCreated


class OwnerRead(BaseModel):
    """A user or an agent that memories are about."""

    id: Annotated[str, Field(description="The user or agent, as the caller names it.")]
    created_at: datetime


class EraseReceipt(BaseModel):
    """What was deleted for ever: rows by table."""

    user_id: str | None = None
    agent_id: str | None = None
    erased: dict[str, int] = Field(examples=[{"memories": 120, "episodes": 120, "owners": 1}])
    erased_at: datetime


class TenantReceipt(BaseModel):
    """What was deleted for ever with a tenant: rows by table."""

    tenant_id: UUID
    erased: dict[str, int]
    erased_at: datetime
