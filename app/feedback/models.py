"""Tables of the room: recalls that may still be voted on, and the errors that votes found."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class RecallRow(Base):
    """A recall: its query as a vector, and its hits with what was predicted of each."""

    __tablename__ = "recalls"
    __table_args__ = (sa.Index("ix_recalls_owner_id", "owner_id"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    recall_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE")
    )
    agent_id: Mapped[str | None]
    model_id: Mapped[int | None] = mapped_column(sa.SmallInteger)
    query: Mapped[object | None] = mapped_column(HALFVEC())
    """Null: the question had no vector, and a vote on it says nothing of others."""
    ordinals: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    predictions: Mapped[list[float]] = mapped_column(ARRAY(sa.REAL))


class VoteRow(Base):
    """One slot of an owner's error memory; a new vote takes the place of the oldest."""

    __tablename__ = "votes"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "recall_id", "memory_ordinal"),
        sa.ForeignKeyConstraint(
            ["owner_id", "memory_ordinal"],
            ["memories.owner_id", "memories.ordinal"],
            ondelete="CASCADE",
        ),
        sa.Index("ix_votes_owner_id_memory_ordinal", "owner_id", "memory_ordinal"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    slot: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    recall_id: Mapped[UUID]
    memory_ordinal: Mapped[int]
    model_id: Mapped[int | None] = mapped_column(sa.SmallInteger)
    query: Mapped[object | None] = mapped_column(HALFVEC())
    rank: Mapped[int] = mapped_column(sa.SmallInteger)
    predicted: Mapped[float] = mapped_column(sa.REAL)
    useful: Mapped[float] = mapped_column(sa.REAL)
    at: Mapped[datetime]
