"""SQL of the accounts of the language model."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.llm.models import OwnerUsage, TenantUsage
from app.llm.protocol import Usage

_SPENT_BY_ALL = sa.text("SELECT calls, prompt_tokens, completion_tokens FROM llm_usage_on(:day)")


async def spent(
    session: AsyncSession, tenant_id: UUID, owner_id: int, *, day: date
) -> tuple[int, int]:
    """Return the tokens of a day: the owner's, and the whole tenant's."""
    of_owner = sa.select(_tokens(OwnerUsage)).where(
        OwnerUsage.tenant_id == tenant_id, OwnerUsage.owner_id == owner_id, OwnerUsage.day == day
    )
    of_tenant = sa.select(_tokens(TenantUsage)).where(
        TenantUsage.tenant_id == tenant_id, TenantUsage.day == day
    )
    return await session.scalar(of_owner) or 0, await session.scalar(of_tenant) or 0


def _tokens(usage: type[OwnerUsage] | type[TenantUsage]) -> sa.ColumnElement[int]:
    return usage.prompt_tokens + usage.completion_tokens


async def add_to_tenant(session: AsyncSession, tenant_id: UUID, *, day: date, usage: Usage) -> None:
    """Add one call to a tenant's day."""
    keys = {"tenant_id": tenant_id, "day": day}
    await session.execute(_one_call(TenantUsage, keys, {}, usage))


async def add_to_owner(
    session: AsyncSession, tenant_id: UUID, owner_id: int, *, day: date, usage: Usage
) -> None:
    """Add one call to an owner's day."""
    keys = {"owner_id": owner_id, "day": day}
    await session.execute(_one_call(OwnerUsage, keys, {"tenant_id": tenant_id}, usage))


def _one_call(
    table: type[OwnerUsage] | type[TenantUsage],
    keys: Mapping[str, object],
    others: Mapping[str, object],
    usage: Usage,
) -> sa.Executable:
    statement = insert(table).values(**keys, **others, calls=1, **usage._asdict())
    counters = ("calls", "prompt_tokens", "completion_tokens")
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={name: getattr(table, name) + statement.excluded[name] for name in counters},
    )


async def spent_across_tenants(session: AsyncSession, *, day: date) -> tuple[int, int, int]:
    """Return calls, tokens read and tokens written of a day, of the whole installation."""
    calls, read, written = (await session.execute(_SPENT_BY_ALL, {"day": day})).one()
    return calls, read, written


async def prune(session: AsyncSession, tenant_id: UUID, *, before: date) -> None:
    """Forget the accounts of days long past."""
    for table in (OwnerUsage, TenantUsage):
        await session.execute(
            sa.delete(table).where(table.tenant_id == tenant_id, table.day < before)
        )
