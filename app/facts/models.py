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


def _belongs_to_memory(column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["owner_id", column], ["memories.owner_id", "memories.ordinal"], ondelete="CASCADE"
    )


class StatementName(Base):
    """A name that stands in a memory which is one statement about somebody named."""

    __tablename__ = "statement_names"
    __table_args__ = (
        _belongs_to_memory("memory_ordinal"),
        sa.Index("ix_statement_names_owner_id_memory_ordinal", "owner_id", "memory_ordinal"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    name_key: Mapped[str] = mapped_column(primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Denial(Base):
    """What a speaker says never to have done: the clause without the denial."""

    __tablename__ = "denials"
    __table_args__ = (_belongs_to_memory("memory_ordinal"),)

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    clause: Mapped[str]
    stems: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))


class Conflict(Base):
    """Two memories that contradict each other; older and newer by when they were said.

    ``resolution`` is what somebody decided; without it the owner's policy decides, when it is read.
    """

    __tablename__ = "conflicts"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "id"),
        sa.UniqueConstraint("owner_id", "older_ordinal", "newer_ordinal"),
        sa.CheckConstraint("detector IN ('statement', 'fact', 'denial')", name="detector"),
        sa.CheckConstraint("resolution IN ('newer', 'older', 'both')", name="resolution"),
        _belongs_to_memory("older_ordinal"),
        _belongs_to_memory("newer_ordinal"),
        sa.Index("ix_conflicts_owner_id_newer_ordinal", "owner_id", "newer_ordinal"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    conflict_no: Mapped[int] = mapped_column(
        sa.BigInteger, sa.Identity(always=True), primary_key=True
    )
    id: Mapped[UUID]
    older_ordinal: Mapped[int]
    newer_ordinal: Mapped[int]
    detector: Mapped[str]
    score: Mapped[float] = mapped_column(sa.Double)
    detected_at: Mapped[datetime]
    resolution: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
