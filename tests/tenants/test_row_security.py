"""The second wall: what the application role sees without a scope, and after another's turn."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import Database, enter_owner, enter_tenant
from app.kit.settings import DatabaseSettings, Settings
from app.tenants import service
from app.tenants.models import ApiKey, Owner, Tenant
from app.tenants.repository import tenants
from app.tenants.schemas import OwnerName, Scope

pytestmark = pytest.mark.pg

NOW = datetime(2026, 1, 31, tzinfo=UTC)
_COUNTERS = sa.text("SELECT owner_id FROM owner_stats ORDER BY owner_id")


async def _with_owner(database: Database, name: str = "alice") -> Scope:
    """Make a tenant with one owner; return the owner."""
    tenant_id = uuid4()
    async with database.transaction(tenant_id=tenant_id) as session:
        await tenants.enter_operator(session)
        await tenants.add_if_missing(session, tenant_id, name, NOW)
        return await service.get_or_create_owner(session, tenant_id, OwnerName("user", name), NOW)


async def _all(session: AsyncSession) -> tuple[list[UUID], list[int], list[int]]:
    """Read without any filter, as a query that forgot its scope does."""
    seen = [tenant.tenant_id for tenant in await session.scalars(sa.select(Tenant))]
    owners = [owner.owner_id for owner in await session.scalars(sa.select(Owner))]
    return seen, owners, list(await session.scalars(_COUNTERS))


async def test_a_read_that_forgot_its_scope_sees_nothing(database: Database) -> None:
    await _with_owner(database)

    async with database.transaction() as session:
        assert await _all(session) == ([], [], [])
        assert list(await session.scalars(sa.select(ApiKey))) == []


async def test_a_read_that_forgot_its_filter_sees_one_tenant_and_one_owner(
    database: Database,
) -> None:
    ours = await _with_owner(database)
    await _with_owner(database)

    async with database.transaction(tenant_id=ours.tenant_id) as session:
        assert await _all(session) == ([ours.tenant_id], [ours.owner_id], [])
        await enter_owner(session, ours.owner_id)
        assert await _all(session) == ([ours.tenant_id], [ours.owner_id], [ours.owner_id])


async def test_an_owners_number_opens_nothing_to_another_tenant(database: Database) -> None:
    ours = await _with_owner(database)
    theirs = await _with_owner(database)

    async with database.transaction(tenant_id=ours.tenant_id, owner_id=theirs.owner_id) as session:
        assert list(await session.scalars(_COUNTERS)) == []


async def test_a_write_for_another_tenant_is_refused(database: Database) -> None:
    ours = await _with_owner(database)
    theirs = await _with_owner(database)
    foreign = Owner(tenant_id=theirs.tenant_id, kind="user", external_id="m", created_at=NOW)

    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.transaction(tenant_id=ours.tenant_id) as session:
            session.add(foreign)


async def test_a_pooled_connection_carries_no_tenant_into_the_next_transaction(
    settings: Settings,
) -> None:
    one = Database(settings.required_database_url(), DatabaseSettings(pool_size=1))
    ours = await _with_owner(one)

    async with one.transaction(tenant_id=ours.tenant_id, owner_id=ours.owner_id) as session:
        await tenants.enter_operator(session)
        backend = await session.scalar(sa.text("SELECT pg_backend_pid()"))
        assert (await _all(session))[2] == [ours.owner_id]
    with pytest.raises(ZeroDivisionError):
        async with one.transaction(tenant_id=ours.tenant_id) as session:
            raise ZeroDivisionError

    async with one.transaction() as session:
        assert await session.scalar(sa.text("SELECT pg_backend_pid()")) == backend
        assert await _all(session) == ([], [], [])
    await one.close()


async def test_only_the_operator_sees_the_list_of_tenants(database: Database) -> None:
    ours = await _with_owner(database)
    theirs = await _with_owner(database)

    async with database.transaction(tenant_id=ours.tenant_id) as session:
        assert await tenants.get(session, theirs.tenant_id) is None
        await tenants.enter_operator(session)
        assert await tenants.get(session, theirs.tenant_id) is not None
        await enter_tenant(session, theirs.tenant_id)
        seen = [owner.owner_id for owner in await session.scalars(sa.select(Owner))]

    assert seen == [theirs.owner_id]
