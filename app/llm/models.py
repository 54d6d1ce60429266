"""What the language model cost: one row per owner and day, one per tenant and day."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.orm import Base


class OwnerUsage(Base):
    """Calls and tokens spent on an owner on a day (UTC)."""

    __tablename__ = "llm_usage"

    owner_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("owners.owner_id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("tenants.tenant_id", ondelete="CASCADE"))
    calls: Mapped[int] = mapped_column(sa.BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(sa.BigInteger)
    completion_tokens: Mapped[int] = mapped_column(sa.BigInteger)


class TenantUsage(Base):
    """Calls and tokens spent on a tenant on a day (UTC), its erased owners' too."""

    __tablename__ = "llm_tenant_usage"

    tenant_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("tenants.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(sa.BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(sa.BigInteger)
    completion_tokens: Mapped[int] = mapped_column(sa.BigInteger)
