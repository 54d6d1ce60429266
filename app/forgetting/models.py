"""Table of the room: what forgetting did."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class ForgettingRun(Base):
    """One pass over an owner's memories, and the policy that it followed."""

    __tablename__ = "forgetting_runs"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    run_no: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    ran_at: Mapped[datetime]
    policy: Mapped[dict[str, Any]]
    """As it was in force: law, mode, threshold, seed."""
    examined: Mapped[int] = mapped_column(server_default="0")
    archived: Mapped[int] = mapped_column(server_default="0")
