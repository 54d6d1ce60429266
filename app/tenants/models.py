"""Tables of the room: tenants, their keys, and the owners of memories."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class Tenant(Base):
    """The isolation unit: whoever runs a chatbot on this service."""

    __tablename__ = "tenants"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    language: Mapped[str] = mapped_column(server_default="en")
    policies: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """Forgetting policy and mechanisms, where they differ from the defaults."""
    created_at: Mapped[datetime]


class ApiKey(Base):
    """A hashed key, what it may do, and whom it is bound to."""

    __tablename__ = "api_keys"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "hash"),
        sa.Index("ix_api_keys_hash", "hash"),
    )

    tenant_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("tenants.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    hash: Mapped[bytes] = mapped_column(BYTEA)
    hint: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    bound_kind: Mapped[str | None]
    bound_external_id: Mapped[str | None]
    requests_per_minute: Mapped[int | None]
    daily_items: Mapped[int | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class KeyUsage(Base):
    """How many items a key stored on a day (UTC); kept for keys with a quota only."""

    __tablename__ = "key_usage"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"],
            ["api_keys.tenant_id", "api_keys.key_id"],
            ondelete="CASCADE",
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    items: Mapped[int] = mapped_column(sa.BigInteger)


class Owner(Base):
    """Whom memories are about or serve: a user or an agent of a tenant."""

    __tablename__ = "owners"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "kind", "external_id"),
        sa.CheckConstraint("kind IN ('user', 'agent')", name="kind"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("tenants.tenant_id", ondelete="CASCADE"))
    kind: Mapped[str]
    external_id: Mapped[str]
    time_zone: Mapped[str | None]
    language: Mapped[str | None]
    policies: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    votes: Mapped[int] = mapped_column(server_default="0")
    """How often hits were voted on; who never did, pays nothing for it."""
    created_at: Mapped[datetime]
