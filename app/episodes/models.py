"""What was said, verbatim, and the sessions it was said in."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class Conversation(Base):
    """One session; ``ordinal`` is its first message's, ``last_ordinal`` its last one's."""

    __tablename__ = "sessions"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    session_id: Mapped[str] = mapped_column(primary_key=True)
    ordinal: Mapped[int]
    messages: Mapped[int]
    last_seq: Mapped[int]
    last_ordinal: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Episode(Base):
    """One message as it came. Append-only: the application role may not update it."""

    __tablename__ = "episodes"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "client_key"),
        sa.UniqueConstraint("owner_id", "digest"),
        sa.Index("ix_episodes_owner_id_session_id_seq", "owner_id", "session_id", "seq"),
    )

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    ordinal: Mapped[int]
    session_id: Mapped[str | None]
    seq: Mapped[int | None]
    agent_id: Mapped[str | None]
    role: Mapped[str | None]
    name: Mapped[str | None]
    content: Mapped[str]
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")
    client_key: Mapped[str | None]
    body_digest: Mapped[bytes] = mapped_column(BYTEA)
    digest: Mapped[bytes] = mapped_column(BYTEA)
    job_id: Mapped[UUID | None]


class EpisodeAlias(Base):
    """A client key under which the words of another episode were sent again. Append-only."""

    __tablename__ = "episode_aliases"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["owner_id", "episode_id"], ["episodes.owner_id", "episodes.id"], ondelete="CASCADE"
        ),
        sa.Index("ix_episode_aliases_owner_id_episode_id", "owner_id", "episode_id"),
    )

    owner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    client_key: Mapped[str] = mapped_column(primary_key=True)
    episode_id: Mapped[UUID]
    body_digest: Mapped[bytes] = mapped_column(BYTEA)
