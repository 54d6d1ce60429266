"""The room's table: segments of what was said."""

from datetime import datetime

import sqlalchemy as sa
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class Segment(Base):
    """One event: turns of a stream that follow each other. It holds no text, only ordinals.

    ``needs_ordinal`` is the last turn that its end depends on; null while that is still to come.
    A stale one was cut from turns that are gone, and is cut anew.
    """

    __tablename__ = "segments"
    __table_args__ = (
        sa.CheckConstraint("reason IN ('start', 'gap', 'surprise', 'size')", name="reason"),
        sa.Index(
            "ix_segments_owner_id_session_id_first_ordinal",
            "owner_id",
            "session_id",
            "first_ordinal",
        ),
        sa.Index(
            "ix_segments_owner_id_stale",
            "owner_id",
            "first_ordinal",
            postgresql_where=sa.text("is_stale"),
        ),
    )

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    first_ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_ordinal: Mapped[int]
    session_id: Mapped[str | None]
    agent_id: Mapped[str | None]
    reason: Mapped[str]
    noticed_ordinal: Mapped[int]
    """The turn whose surprise marked it, before its beginning was refined."""
    surprise: Mapped[float | None] = mapped_column(sa.Double)
    needs_ordinal: Mapped[int | None]
    members: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    representatives: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    model_id: Mapped[int] = mapped_column(sa.SmallInteger)
    """The embedding model whose vectors it was cut by."""
    means: Mapped[list[object]] = mapped_column(ARRAY(HALFVEC(), dimensions=1))
    """The vectors by which it is found; none while it is stale."""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    is_stale: Mapped[bool] = mapped_column(server_default=sa.false())
