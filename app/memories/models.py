"""Tables of the noun: memories, where they came from, how they are found, what befell them.

``ordinal`` numbers an owner's memories in the order they were written. A memory's first key has
its ordinal; further keys have negative ordinals, so that a search maps nearly every key to its
memory without a look-up.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


def _belongs_to_memory(column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["owner_id", column], ["memories.owner_id", "memories.ordinal"], ondelete="CASCADE"
    )


class OwnerStats(Base):
    """Counters of one owner; its row lock makes an owner's writes happen one at a time."""

    __tablename__ = "owner_stats"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    keys: Mapped[int] = mapped_column(server_default="0")
    sum_dl: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    last_ordinal: Mapped[int] = mapped_column(server_default="0")
    last_extra_key: Mapped[int] = mapped_column(server_default="0")
    last_change: Mapped[int] = mapped_column(server_default="0")
    is_pending: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether a key may lack its vector; spares the worker a look at all keys."""


class Memory(Base):
    """One statement that is kept."""

    __tablename__ = "memories"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "id"),
        sa.Index("ix_memories_tenant_id_id", "tenant_id", "id"),
        sa.Index("ix_memories_owner_id_session_id_ordinal", "owner_id", "session_id", "ordinal"),
        sa.Index("ix_memories_owner_id_occurred_at_ordinal", "owner_id", "occurred_at", "ordinal"),
        sa.Index(
            "ix_memories_owner_id_expires_at",
            "owner_id",
            "expires_at",
            postgresql_where=sa.text("expires_at IS NOT NULL AND archived_at IS NULL"),
        ),
    )

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    tenant_id: Mapped[UUID]
    kind: Mapped[str]
    content: Mapped[str]
    session_id: Mapped[str | None]
    agent_id: Mapped[str | None]
    role: Mapped[str | None]
    name: Mapped[str | None]
    place: Mapped[str | None]
    occurred_at: Mapped[datetime]
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    importance: Mapped[float | None] = mapped_column(sa.Double)
    pinned: Mapped[bool] = mapped_column(server_default=sa.false())
    strength_days: Mapped[float] = mapped_column(sa.Double, server_default="1")
    recalled_at: Mapped[datetime | None]
    recall_count: Mapped[int] = mapped_column(server_default="0")
    generated_by: Mapped[str | None]
    replaced_by: Mapped[UUID | None]
    """What took the place of a derived memory, which stays as its tombstone; null: it stands."""
    context_ordinal: Mapped[int | None]
    infer: Mapped[bool] = mapped_column(server_default=sa.true())
    """Whether mechanisms may make something of it; false: kept verbatim, nothing else."""
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")


class MemorySource(Base):
    """What a memory was made from: an episode, or another memory."""

    __tablename__ = "memory_sources"
    __table_args__ = (
        sa.UniqueConstraint(
            "owner_id",
            "memory_ordinal",
            "episode_id",
            "source_ordinal",
            name="uq_memory_sources_source",  # its name by the convention is too long for Postgres
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint("(episode_id IS NULL) <> (source_ordinal IS NULL)", name="one_source"),
        _belongs_to_memory("memory_ordinal"),
        _belongs_to_memory("source_ordinal"),
        sa.ForeignKeyConstraint(
            ["owner_id", "episode_id"], ["episodes.owner_id", "episodes.id"], ondelete="CASCADE"
        ),
        sa.Index(
            "ix_memory_sources_owner_id_episode_id",
            "owner_id",
            "episode_id",
            postgresql_where=sa.text("episode_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_memory_sources_owner_id_source_ordinal",
            "owner_id",
            "source_ordinal",
            postgresql_where=sa.text("source_ordinal IS NOT NULL"),
        ),
    )
    # The table has no primary key (either source may be null); the mapper needs one.
    __mapper_args__ = {  # noqa: RUF012  -- SQLAlchemy's protocol
        "primary_key": ["owner_id", "memory_ordinal", "episode_id", "source_ordinal"]
    }

    owner_id: Mapped[int] = mapped_column(sa.BigInteger)
    memory_ordinal: Mapped[int]
    episode_id: Mapped[UUID | None]
    source_ordinal: Mapped[int | None]


class MemoryKey(Base):
    """One text by which a memory is found: characters ``start`` to ``stop`` of it, or ``text``."""

    __tablename__ = "memory_keys"
    __table_args__ = (
        _belongs_to_memory("memory_ordinal"),
        sa.Index(
            "ix_memory_keys_owner_id_memory_ordinal",
            "owner_id",
            "memory_ordinal",
            postgresql_where=sa.text("ordinal < 0"),
        ),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    memory_ordinal: Mapped[int]
    key_kind: Mapped[str]
    start: Mapped[int]
    stop: Mapped[int]
    text: Mapped[str | None]
    lexemes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))


class Posting(Base):
    """How often one stem stands in one key (``tf``), and how many stems the key has (``dl``)."""

    __tablename__ = "postings"

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    lexeme: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    key_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tf: Mapped[int] = mapped_column(sa.SmallInteger)
    dl: Mapped[int] = mapped_column(sa.SmallInteger)


class ToldDays(Base):
    """Days that a memory tells of, in the owner's time zone, besides the one it was said on."""

    __tablename__ = "told_days"
    __table_args__ = (
        _belongs_to_memory("memory_ordinal"),
        sa.Index("ix_told_days_owner_id_since", "owner_id", "since"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date] = mapped_column(primary_key=True)


class StemCount(Base):
    """What recall needs to know of a frequent stem of a large owner, without reading its postings.

    Counts the keys that ``covered_keys`` names; the other two bound its share in any of them.
    """

    __tablename__ = "stem_counts"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    lexeme: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    keys: Mapped[int]
    most_tf: Mapped[int] = mapped_column(sa.SmallInteger)
    least_dl: Mapped[float] = mapped_column(sa.REAL)
    """The least of ``dl / tf``."""


class CoveredKeys(Base):
    """Which of an owner's keys a background index covers: ordinals ``lowest`` to ``highest``.

    ``stems`` stands for ``stem_counts``, ``hnsw_<model>`` for that model's index of neighbours.
    """

    __tablename__ = "covered_keys"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    index_name: Mapped[str] = mapped_column(primary_key=True)
    lowest: Mapped[int]
    highest: Mapped[int]
    updated_at: Mapped[datetime]


class UncoveredKey(Base):
    """A key within the range of an index of neighbours whose vector was stored since."""

    __tablename__ = "uncovered_keys"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    key_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class MemoryEvent(Base):
    """What befell a memory. Append-only: the application role may not update it."""

    __tablename__ = "memory_events"
    __table_args__ = (_belongs_to_memory("memory_ordinal"),)

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_no: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]]


class MemoryChange(Base):
    """The latest change to a memory that was written before: edited, archived, restored.

    With the ordinals of new memories this is the feed that mechanisms follow.
    """

    __tablename__ = "memory_changes"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "change_no"),
        _belongs_to_memory("memory_ordinal"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    change_no: Mapped[int]


class MechanismCursor(Base):
    """How far a mechanism has followed an owner's memories, and their changes."""

    __tablename__ = "mechanism_cursors"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    mechanism: Mapped[str] = mapped_column(primary_key=True)
    ordinal: Mapped[int]
    change_no: Mapped[int]
    updated_at: Mapped[datetime]


class EmbeddingModel(Base):
    """An embedder whose vectors are kept, in ``embeddings_<id>`` and ``embedding_bits_<id>``.

    The vectors of what mechanisms make of memories lie in ``derived_vectors_<id>``.
    """

    __tablename__ = "embedding_models"
    __table_args__ = (
        sa.UniqueConstraint("name"),
        sa.CheckConstraint("state IN ('building', 'active', 'retired')", name="state"),
        sa.Index(
            "ix_embedding_models_state",
            "state",
            unique=True,
            postgresql_where=sa.text("state = 'active'"),
        ),
    )

    model_id: Mapped[int] = mapped_column(
        sa.SmallInteger, sa.Identity(always=True), primary_key=True
    )
    name: Mapped[str]
    dimensions: Mapped[int]
    uses_bits: Mapped[bool] = mapped_column(server_default=sa.false())
    bit_agreement: Mapped[float | None] = mapped_column(sa.Double)
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
