"""Tables of the room: what memories say of facts, and the facts laid out from that."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class FactObservation(Base):
    """One fact as one memory states it. ``group_key`` tells what one object ends of another.

    It is never changed but for ``known_to``: since then its memory says so no longer.
    """

    __tablename__ = "fact_observations"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["owner_id", "memory_ordinal"],
            ["memories.owner_id", "memories.ordinal"],
            ondelete="CASCADE",
        ),
        sa.Index(
            "ix_fact_observations_owner_id_subject_key_group_key",
            "owner_id",
            "subject_key",
            "group_key",
        ),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    agent_id: Mapped[str | None]
    subject: Mapped[str]
    relation: Mapped[str]
    object: Mapped[str]
    subject_key: Mapped[str]
    relation_key: Mapped[str]
    group_key: Mapped[str]
    is_functional: Mapped[bool]
    is_end: Mapped[bool]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    observed_at: Mapped[datetime]
    known_from: Mapped[datetime]
    known_to: Mapped[datetime | None]
    confidence: Mapped[float] = mapped_column(sa.Double)
    generated_by: Mapped[str]


class Fact(Base):
    """What held in [valid_from, valid_to), as we knew it in [known_from, known_to).

    All rows of a group are computed from its observations alone, and anew whenever these change.
    """

    __tablename__ = "facts"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "id"),
        sa.CheckConstraint("cardinality(source_ordinals) > 0", name="sources"),
        sa.Index("ix_facts_owner_id_subject_key_group_key", "owner_id", "subject_key", "group_key"),
    )

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    fact_no: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    id: Mapped[UUID]
    agent_id: Mapped[str | None]
    subject: Mapped[str]
    relation: Mapped[str]
    object: Mapped[str]
    subject_key: Mapped[str]
    relation_key: Mapped[str]
    group_key: Mapped[str]
    is_functional: Mapped[bool]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    known_from: Mapped[datetime]
    known_to: Mapped[datetime | None]
    confidence: Mapped[float] = mapped_column(sa.Double)
    source_ordinals: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    generated_by: Mapped[str]
