"""Tables of the room: thoughts, and how an owner's are hashed."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class ThoughtHash(Base):
    """One version of an owner's buckets: the seed of the directions, not the directions."""

    __tablename__ = "thought_hashes"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_id: Mapped[int] = mapped_column(sa.SmallInteger)
    seed: Mapped[int] = mapped_column(sa.BigInteger)
    dimensions: Mapped[int]
    buckets: Mapped[int] = mapped_column(sa.SmallInteger)


class Thought(Base):
    """A statement thought out of memories. It is a memory, too: its text and sources are there.

    ``relation`` is null where a sentence was not read as a triple. A thought that is no longer
    active is a tombstone, and names the one that took its place.
    """

    __tablename__ = "thoughts"
    __table_args__ = (
        sa.CheckConstraint("status IN ('active', 'forgotten', 'merged')", name="status"),
        sa.ForeignKeyConstraint(
            ["owner_id", "memory_ordinal"],
            ["memories.owner_id", "memories.ordinal"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id", "replaced_by"],
            ["thoughts.owner_id", "thoughts.memory_ordinal"],
            ondelete="SET NULL (replaced_by)",
        ),
        sa.Index(
            "ix_thoughts_owner_id_hash_version_bucket", "owner_id", "hash_version", "bucket"
        ),
        sa.Index("ix_thoughts_owner_id_head_key_relation_key", "owner_id", "head_key",
                 "relation_key"),
        sa.Index("ix_thoughts_owner_id_replaced_by", "owner_id", "replaced_by",
                 postgresql_where=sa.text("replaced_by IS NOT NULL")),
        sa.Index("ix_thoughts_owner_id_bucket", "owner_id", "bucket",
                 postgresql_where=sa.text("NOT is_organised AND status = 'active'")),
    )  # fmt: skip

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    agent_id: Mapped[str | None]
    head: Mapped[str]
    relation: Mapped[str | None]
    tails: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    head_key: Mapped[str]
    relation_key: Mapped[str | None]
    hash_version: Mapped[int]
    bucket: Mapped[int] = mapped_column(sa.SmallInteger)
    status: Mapped[str] = mapped_column(server_default="active")
    replaced_by: Mapped[int | None]
    is_organised: Mapped[bool] = mapped_column(server_default=sa.false())
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
