"""Tables of the room. Their texts lie in documents that know the memories they were made of.

``source_ordinals`` lists those memories: when one is erased, the documents that name it lose what
was made of it in the same transaction.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


def _owner_id() -> Mapped[int]:
    return mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )


class DaySummary(Base):
    """What was said on one day of the owner's time zone, condensed; made when the day is over."""

    __tablename__ = "day_summaries"
    __table_args__ = (
        sa.Index(
            "ix_day_summaries_owner_id_day",
            "owner_id",
            "day",
            postgresql_where=sa.text("is_stale"),
        ),
    )

    owner_id: Mapped[int] = _owner_id()
    day: Mapped[date] = mapped_column(primary_key=True)
    time_zone: Mapped[str]
    is_stale: Mapped[bool]
    """Whether its memories changed since it was made, or it is yet to be made."""
    digest: Mapped[bytes | None]
    """Of the memories it was made of, as they were."""
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    portrait: Mapped[dict[str, Any]]
    source_ordinals: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    generated_by: Mapped[str | None]
    updated_at: Mapped[datetime]


class Shade(Base):
    """A topic of an owner: a cluster of memories, kept up to date, and what is said of it."""

    __tablename__ = "shades"

    owner_id: Mapped[int] = _owner_id()
    id: Mapped[UUID] = mapped_column(primary_key=True)
    size: Mapped[int]
    total: Mapped[bytes]
    """Sum of its members' centred vectors, float32."""
    is_stale: Mapped[bool]
    """Whether its texts are to be made anew."""
    needs_recount: Mapped[bool]
    """Whether a member changed or left, so that size and sum are to be counted anew."""
    document: Mapped[dict[str, Any]]
    source_ordinals: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    updated_at: Mapped[datetime]


class ShadeMember(Base):
    """A memory that counts for the profile, and the shade it belongs to, if to any."""

    __tablename__ = "shade_members"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["owner_id", "memory_ordinal"],
            ["memories.owner_id", "memories.ordinal"],
            ondelete="CASCADE",
        ),
        sa.Index("ix_shade_members_owner_id_shade_id_distance", "owner_id", "shade_id", "distance"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shade_id: Mapped[UUID | None]
    distance: Mapped[float | None] = mapped_column(sa.Double)
    """To the shade's centre when it joined."""


class ProfileVersion(Base):
    """One version of a profile, as it was shown then, less what was erased since."""

    __tablename__ = "profiles"

    owner_id: Mapped[int] = _owner_id()
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_full: Mapped[bool]
    """Whether all topics were found anew, rather than brought up to date."""
    document: Mapped[dict[str, Any]]
    source_ordinals: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    generated_by: Mapped[str]
    created_at: Mapped[datetime]


class ProfileState(Base):
    """How far an owner's profile has come; visible to the tenant, so that housekeeping finds it."""

    __tablename__ = "profile_states"
    __table_args__ = (
        sa.Index("ix_profile_states_tenant_id_next_close_at", "tenant_id", "next_close_at"),
    )

    owner_id: Mapped[int] = _owner_id()
    tenant_id: Mapped[UUID]
    version: Mapped[int]
    """The latest; 0 before the first."""
    full_version: Mapped[int]
    members: Mapped[int]
    """Memories that counted when the latest version was made."""
    changes: Mapped[int]
    """Memories that came, changed or left since."""
    erasures: Mapped[int]
    """Grows with every erase, so that nothing made meanwhile of what was erased is stored."""
    is_forced: Mapped[bool]
    wants_full: Mapped[bool]
    model_id: Mapped[int | None] = mapped_column(sa.SmallInteger)
    calibration: Mapped[dict[str, Any]]
    """Thresholds of the embedding model; empty before the first topics."""
    origin: Mapped[bytes | None]
    """What vectors are centred on, float32."""
    next_close_at: Mapped[datetime | None]
    """When the earliest day that is yet to be summarised is over."""
    updated_at: Mapped[datetime]
