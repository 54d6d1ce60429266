"""An owner to queue jobs for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.jobs import service
from app.kit.clock import now
from app.kit.ids import new_id


@dataclass(frozen=True)
class Owner:
    """A tenant's user, whose jobs are queued."""

    tenant_id: UUID
    owner_id: int
    name: str

    async def enqueue(
        self, session: AsyncSession, tasks: Sequence[str], kind: str = "enrich"
    ) -> UUID:
        return await service.enqueue(
            session,
            tenant_id=self.tenant_id,
            owner_id=self.owner_id,
            kind=kind,
            tasks=tasks,
            now=now(),
        )


async def make_owner(
    engine: AsyncEngine, name: str, *, tenant_id: UUID | None = None, kind: str = "user"
) -> Owner:
    """Make a user or agent, in a tenant of its own unless one is named."""
    async with engine.begin() as connection:
        if tenant_id is None:
            tenant_id = new_id()
            await connection.execute(
                sa.text(
                    "INSERT INTO tenants (tenant_id, name, created_at) VALUES (:id, 't', now())"
                ),
                {"id": tenant_id},
            )
        owner_id = await connection.scalar(
            sa.text(
                "INSERT INTO owners (tenant_id, kind, external_id, created_at) "
                "VALUES (:tenant_id, :kind, :name, now()) RETURNING owner_id"
            ),
            {"tenant_id": tenant_id, "kind": kind, "name": name},
        )
    assert owner_id is not None
    return Owner(tenant_id, owner_id, name)


@pytest.fixture
async def owner(owner_engine: AsyncEngine) -> Owner:
    """One user of a fresh tenant."""
    return await make_owner(owner_engine, "ana")
