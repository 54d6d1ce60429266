"""Requests that may be repeated."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class IdempotencyKey(Base):
    """The first answer to a request that carried an Idempotency-Key."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (sa.Index("ix_idempotency_keys_owner_id", "owner_id"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE")
    )
    request_digest: Mapped[bytes] = mapped_column(BYTEA)
    response: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
