"""The jobs that users see; the queue's own tables belong to procrastinate."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.jobs.kernel import Step
from app.kit.orm import Base


class Job(Base):
    """Background work as its user sees it, finished when all its steps are.

    ``tasks`` holds the steps in order; each knows its row in the queue while it has one.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status"
        ),
        sa.Index("ix_jobs_owner_id_id", "owner_id", "id"),
        sa.Index(
            "ix_jobs_owner_id_kind",
            "owner_id",
            "kind",
            postgresql_where=sa.text("status = 'queued'"),
        ),
        sa.Index(
            "ix_jobs_tenant_id_id",
            "tenant_id",
            "id",
            postgresql_where=sa.text("finished_at IS NULL"),
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("tenants.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE")
    )
    agent_id: Mapped[str | None]
    kind: Mapped[str]
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    tasks: Mapped[list[Step]] = mapped_column(JSONB)
    error: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default=sa.false())
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
