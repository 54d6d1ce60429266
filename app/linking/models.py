"""Tables of notes, their links, and how they evolved."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


def _belongs_to_note(column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["owner_id", column], ["notes.owner_id", "notes.memory_ordinal"], ondelete="CASCADE"
    )


class NoteRow(Base):
    """What is noted of a memory: keywords, tags and a context sentence."""

    __tablename__ = "notes"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["owner_id", "memory_ordinal"],
            ["memories.owner_id", "memories.ordinal"],
            ondelete="CASCADE",
        ),
        sa.Index("ix_notes_owner_id_model_id", "owner_id", "model_id", "memory_ordinal"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    memory_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    agent_id: Mapped[str | None]
    """The memory's; notes of two agents are never linked."""
    keywords: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    tags: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    context: Mapped[str]
    category: Mapped[str | None]
    generated_by: Mapped[str]
    made_from: Mapped[bytes]
    """Digest of the words that the note was made from; another one: it must be made anew."""
    version: Mapped[int] = mapped_column(server_default="1")
    embed_version: Mapped[int] = mapped_column(server_default="0")
    """The version that the note's vector was made of."""
    model_id: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    """The embedding model of the note's vector; 0: the vector waits to be made (anew)."""
    is_linked: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether links were sought for the note as it was made."""
    neighbours: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer), server_default="{}")
    """Ordinals of the notes nearest to it so far, nearest first; some may be archived by now."""
    cosines: Mapped[list[float]] = mapped_column(ARRAY(sa.REAL), server_default="{}")
    updated_at: Mapped[datetime]


class NoteLink(Base):
    """Two notes that belong together; the later memory points to the earlier one."""

    __tablename__ = "note_links"
    __table_args__ = (
        sa.CheckConstraint("source_ordinal > target_ordinal", name="later_to_earlier"),
        _belongs_to_note("source_ordinal"),
        _belongs_to_note("target_ordinal"),
        sa.Index(
            "ix_note_links_owner_id_target_ordinal", "owner_id", "target_ordinal", "source_ordinal"
        ),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    source_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    target_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    reason: Mapped[str]
    weight: Mapped[float] = mapped_column(sa.Double)
    """Cosine of both notes when they were linked."""
    generated_by: Mapped[str]
    evolution_no: Mapped[int | None]
    """The evolution that made the link, while that is known."""
    created_at: Mapped[datetime]


class NoteEvolution(Base):
    """One change of a note because of another: as it was before, and after."""

    __tablename__ = "note_evolutions"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "id"),
        sa.CheckConstraint("action IN ('strengthen', 'update_neighbor')", name="action"),
        _belongs_to_note("trigger_ordinal"),
        _belongs_to_note("target_ordinal"),
        sa.Index("ix_note_evolutions_owner_id_trigger_ordinal", "owner_id", "trigger_ordinal"),
        sa.Index(
            "ix_note_evolutions_owner_id_target_ordinal",
            "owner_id",
            "target_ordinal",
            "evolution_no",
        ),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    evolution_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    trigger_ordinal: Mapped[int]
    target_ordinal: Mapped[int]
    action: Mapped[str]
    sources: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    """Ordinals of all memories that the change was made from; none of them is gone."""
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    generated_by: Mapped[str]
    at: Mapped[datetime]
    reverted_at: Mapped[datetime | None]
