"""SQL of owners: entering one, making one, listing them, their settings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import Read
from app.tenants import policies
from app.tenants.models import Owner, Tenant
from app.tenants.schemas import LocalSettings, OwnerKind, OwnerName, Scope

# One round trip: finds the owner and makes both settings that row-level security reads.
_ENTER = sa.text("""
    SELECT owner_id, keys, time_zone, language, policies, votes
    FROM enter_owner(:tenant_id, :kind, :external_id)
""")
# The counters belong to the room above; the row is made with the owner so that writers can lock it.
_ADD_COUNTERS = sa.text(
    "INSERT INTO owner_stats (owner_id) VALUES (:owner_id) ON CONFLICT DO NOTHING"
)


async def enter(session: AsyncSession, tenant_id: UUID, owner: OwnerName) -> Scope | None:
    """Let the transaction see one owner's rows; ``None`` if the tenant has no such owner."""
    read = entering(tenant_id, owner)
    rows = await session.execute(read.statement, read.values)
    return entered(tenant_id, [tuple(row) for row in rows])


def entering(tenant_id: UUID, owner: OwnerName) -> Read:
    """Return what lets the rest of its transaction see one owner's rows."""
    values = {"tenant_id": tenant_id, "kind": owner.kind, "external_id": owner.external_id}
    return Read(_ENTER, values)


def entered(tenant_id: UUID, rows: Sequence[tuple[Any, ...]]) -> Scope | None:
    """Return the owner that ``entering`` found, if it found one."""
    if not rows:
        return None
    owner_id, keys, time_zone, language, held, votes = rows[0]
    local = LocalSettings(time_zone, language, policies.read(held))
    return Scope(tenant_id, owner_id, keys or 0, local, votes)


async def add(session: AsyncSession, tenant_id: UUID, owner: OwnerName, now: datetime) -> None:
    """Make an owner unless it exists; waits for another transaction that is making it."""
    await session.execute(
        insert(Owner)
        .values(tenant_id=tenant_id, kind=owner.kind, external_id=owner.external_id, created_at=now)
        .on_conflict_do_nothing(index_elements=["tenant_id", "kind", "external_id"])
    )


async def add_counters(session: AsyncSession, scope: Scope) -> None:
    """Make the owner's row of counters unless it exists."""
    await session.execute(_ADD_COUNTERS, {"owner_id": scope.owner_id})


async def page(
    session: AsyncSession,
    tenant_id: UUID,
    kind: OwnerKind,
    *,
    only: OwnerName | None,
    after: int | None,
    limit: int,
) -> Sequence[Owner]:
    """Return a tenant's users or agents in the order they were first seen.

    Numbers are given out before the commit: an owner made while pages are read may lie behind the
    reader. All who were there before the first page come exactly once.
    """
    statement = (
        sa.select(Owner)
        .where(Owner.tenant_id == tenant_id, Owner.kind == kind)
        .order_by(Owner.owner_id)
        .limit(limit)
    )
    if only is not None:
        statement = statement.where(Owner.kind == only.kind, Owner.external_id == only.external_id)
    if after is not None:
        statement = statement.where(Owner.owner_id > after)
    return (await session.scalars(statement)).all()


async def get(session: AsyncSession, scope: Scope) -> Owner:
    """Return the row of an owner that was entered."""
    return (await session.scalars(_of(scope))).one()


def _of(scope: Scope) -> sa.Select[Owner]:
    return sa.select(Owner).where(
        Owner.tenant_id == scope.tenant_id, Owner.owner_id == scope.owner_id
    )


async def name_of(session: AsyncSession, tenant_id: UUID, owner_id: int) -> OwnerName | None:
    """Return how callers name an owner of the tenant."""
    statement = sa.select(Owner.kind, Owner.external_id).where(
        Owner.tenant_id == tenant_id, Owner.owner_id == owner_id
    )
    row = (await session.execute(statement)).one_or_none()
    return OwnerName(row.kind, row.external_id) if row else None


async def local_settings(session: AsyncSession, scope: Scope) -> LocalSettings:
    """Return what holds for an owner: its own settings, else its tenant's."""
    statement = (
        sa.select(
            sa.func.coalesce(Owner.time_zone, Tenant.time_zone),
            sa.func.coalesce(Owner.language, Tenant.language),
            Tenant.policies.concat(Owner.policies),
        )
        .join(Tenant, Tenant.tenant_id == Owner.tenant_id)
        .where(Owner.tenant_id == scope.tenant_id, Owner.owner_id == scope.owner_id)
    )
    time_zone, language, held = (await session.execute(statement)).one()
    return LocalSettings(time_zone, language, policies.read(held))


async def count_vote(session: AsyncSession, scope: Scope) -> int:
    """Count a vote of an owner; return how many there were before."""
    statement = (
        sa.update(Owner)
        .where(Owner.tenant_id == scope.tenant_id, Owner.owner_id == scope.owner_id)
        .values(votes=Owner.votes + 1)
        .returning(Owner.votes)
    )
    return (await session.execute(statement)).scalar_one() - 1


async def ids(session: AsyncSession, tenant_id: UUID, *, limit: int) -> Sequence[int]:
    """Return ids of some of a tenant's owners."""
    statement = sa.select(Owner.owner_id).where(Owner.tenant_id == tenant_id).limit(limit)
    return (await session.scalars(statement)).all()


async def ids_that_archive(session: AsyncSession, tenant_id: UUID) -> Sequence[int]:
    """Return a tenant's owners whose forgetting policy, or else the tenant's, archives."""
    held = sa.func.coalesce(Owner.policies["forgetting"], Tenant.policies["forgetting"])
    archiving = sa.cast(held, JSONB)["archiving"].astext
    statement = (
        sa.select(Owner.owner_id)
        .join(Tenant, Tenant.tenant_id == Owner.tenant_id)
        .where(Owner.tenant_id == tenant_id, archiving.in_(("threshold", "sample")))
        .order_by(Owner.owner_id)
    )
    return (await session.scalars(statement)).all()
