import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.kit.database import Database, enter_tenant
from app.tenants import kernel, service
from app.tenants.errors import (
    OtherOwnerError,
    OwnerRequiredError,
    QuotaExceededError,
)
from app.tenants.models import ApiKey, Tenant
from app.tenants.schemas import LocalSettings, OwnerName, Principal, Scope
from app.tenants.service.keys import DEFAULT_TENANT
from tests.api import OPERATOR, code_of

NOW = datetime(2026, 1, 31, 21, 0, tzinfo=UTC)
ALICE = OwnerName("user", "alice")
HELPER = OwnerName("agent", "helper")


def _principal(bound: OwnerName | None = None, daily_items: int | None = None) -> Principal:
    return Principal(
        tenant_id=uuid4(),
        key_id=uuid4(),
        scopes=frozenset({"read", "write"}),
        bound=bound,
        daily_items=daily_items,
    )


@pytest.mark.parametrize(
    ("user_id", "agent_id", "owner"),
    [("alice", None, ALICE), (None, "helper", HELPER), ("alice", "helper", ALICE)],
)
def test_the_user_owns_when_both_are_named(
    user_id: str | None, agent_id: str | None, owner: OwnerName
) -> None:
    assert service.name_owner(_principal(), user_id, agent_id) == owner


def test_somebody_must_be_named() -> None:
    for bound in (None, ALICE):
        with pytest.raises(OwnerRequiredError):
            service.name_owner(_principal(bound), None, None)


@pytest.mark.parametrize(
    ("bound", "user_id", "agent_id"),
    [
        (ALICE, "bob", None),
        (ALICE, None, "alice"),
        (ALICE, "bob", "alice"),
        (HELPER, "helper", None),
        (HELPER, "alice", "other"),
        (HELPER, "alice", None),
    ],
)
def test_a_bound_key_names_its_own_owner_or_is_refused(
    bound: OwnerName, user_id: str | None, agent_id: str | None
) -> None:
    with pytest.raises(OtherOwnerError):
        service.name_owner(_principal(bound), user_id, agent_id)


def test_an_agents_key_serves_any_user_that_it_names_with_the_agent() -> None:
    assert service.name_owner(_principal(HELPER), "alice", "helper") == ALICE
    assert service.name_owner(_principal(HELPER), None, "helper") == HELPER


def test_scopes_include_one_another_upwards() -> None:
    assert kernel.implied(["read"]) == {"read"}
    assert kernel.implied(["write"]) == {"read", "write"}
    assert kernel.implied(["operator"]) == {"read", "write", "admin", "operator"}


async def _tenant(session: AsyncSession) -> Tenant:
    """Make a tenant of this test and enter it."""
    await session.execute(sa.text("SELECT set_config('app.operator', 'on', true)"))
    tenant = Tenant(tenant_id=uuid4(), name="test", created_at=NOW)
    session.add(tenant)
    await session.flush()
    await enter_tenant(session, tenant.tenant_id)
    return tenant


@pytest.mark.pg
async def test_an_owner_is_made_at_its_first_mention_and_entered_ever_after(
    session: AsyncSession,
) -> None:
    tenant = await _tenant(session)
    assert await service.enter(session, tenant.tenant_id, ALICE) is None

    made = await service.get_or_create_owner(session, tenant.tenant_id, ALICE, NOW)
    again = await service.get_or_create_owner(session, tenant.tenant_id, ALICE, NOW)
    other = await service.get_or_create_owner(session, tenant.tenant_id, HELPER, NOW)

    assert again == made
    assert other.owner_id != made.owner_id
    assert await service.enter(session, tenant.tenant_id, ALICE) == made
    counters = await session.scalar(sa.text("SELECT count(*) FROM owner_stats"))
    assert counters == 1


@pytest.mark.pg
async def test_an_owner_that_two_requests_mention_at_once_is_made_once(
    database: Database, owner_engine: AsyncEngine
) -> None:
    await service.ensure_bootstrap(database, "rk_test-bootstrap-key", NOW)

    async def mention() -> int:
        async with database.transaction(tenant_id=DEFAULT_TENANT) as session:
            scope = await service.get_or_create_owner(session, DEFAULT_TENANT, ALICE, NOW)
            await asyncio.sleep(0.05)
            return scope.owner_id

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(mention()) for _ in range(5)]

    assert len({task.result() for task in tasks}) == 1
    async with owner_engine.connect() as connection:
        for table in ("owners", "owner_stats"):
            count = sa.select(sa.func.count()).select_from(sa.table(table))
            assert await connection.scalar(count) == 1


@pytest.mark.pg
async def test_a_bound_key_sees_one_owner_by_number_too(session: AsyncSession) -> None:
    tenant = await _tenant(session)
    scope = await service.get_or_create_owner(session, tenant.tenant_id, ALICE, NOW)

    def holder(bound: OwnerName | None) -> Principal:
        return Principal(tenant.tenant_id, uuid4(), frozenset({"read"}), bound)

    assert await service.may_see(session, holder(None), scope.owner_id)
    assert await service.may_see(session, holder(ALICE), scope.owner_id)
    assert not await service.may_see(session, holder(OwnerName("user", "bob")), scope.owner_id)
    assert not await service.may_see(session, holder(ALICE), scope.owner_id + 1)


@pytest.mark.pg
async def test_an_owners_settings_come_before_its_tenants(session: AsyncSession) -> None:
    tenant = await _tenant(session)
    await service.get_or_create_owner(session, tenant.tenant_id, ALICE, NOW)

    async def effective() -> LocalSettings:
        scope = await service.enter_known(session, tenant.tenant_id, ALICE)
        entered = await service.effective_settings(session, scope)
        bare = Scope(scope.tenant_id, scope.owner_id)
        assert entered == await service.effective_settings(session, bare)
        return entered

    before = await effective()
    tenant.language = "de"
    await session.flush()
    between = await effective()
    await session.execute(sa.text("UPDATE owners SET language = 'und', time_zone = 'Asia/Tokyo'"))
    after = await effective()

    assert (before.language, before.text_search_config, before.time_zone) == (
        *("en", "english"),
        "UTC",
    )
    assert between.text_search_config == "german"
    assert (after.text_search_config, after.time_zone) == ("simple", "Asia/Tokyo")


@pytest.mark.pg
async def test_postgres_knows_every_language_we_offer(session: AsyncSession) -> None:
    known = set((await session.scalars(sa.text("SELECT cfgname FROM pg_ts_config"))).all())

    assert set(kernel.TEXT_SEARCH.values()) <= known


@pytest.mark.pg
async def test_a_quota_lets_through_what_fits_and_refuses_the_rest_until_midnight(
    session: AsyncSession,
) -> None:
    tenant = await _tenant(session)
    key = ApiKey(
        tenant_id=tenant.tenant_id,
        key_id=uuid4(),
        name="k",
        hash=b"k",
        hint="kkkk",
        scopes=["write"],
        created_at=NOW,
    )
    session.add(key)
    await session.flush()
    holder = Principal(key.tenant_id, key.key_id, frozenset({"write"}), daily_items=10)

    await service.count_items(session, holder, 6, NOW)
    with pytest.raises(QuotaExceededError) as refused:
        await service.count_items(session, holder, 5, NOW)
    await service.count_items(session, holder, 4, NOW)
    with pytest.raises(QuotaExceededError):
        await service.count_items(session, holder, 1, NOW)
    await service.count_items(session, holder, 10, NOW + timedelta(hours=3))
    with pytest.raises(QuotaExceededError):
        await service.count_items(session, holder, 11, NOW + timedelta(days=3))

    assert refused.value.headers["Retry-After"] == str(3 * 60 * 60)


@pytest.mark.pg
async def test_without_a_quota_nothing_is_counted(session: AsyncSession) -> None:
    await service.count_items(session, _principal(), 1_000_000, NOW)
    await service.count_items(session, _principal(daily_items=0), 1_000_000, NOW)

    assert await session.scalar(sa.text("SELECT count(*) FROM key_usage")) == 0


@pytest.mark.pg
async def test_settings_of_users_agents_and_the_tenant_over_http(
    client: httpx.AsyncClient,
) -> None:
    client.headers.update(OPERATOR)
    unknown = await client.get("/v1/users/alice/settings")
    await client.put("/v1/settings", json={"time_zone": "Europe/Berlin", "language": "de"})
    changed = await client.put("/v1/users/alice/settings", json={"language": "fr"})
    read = await client.get("/v1/users/alice/settings")
    reset = await client.put("/v1/users/alice/settings", json={})
    agent = await client.put("/v1/agents/alice/settings", json={"time_zone": "Asia/Tokyo"})

    assert code_of(unknown) == "owner-not-found"
    assert _where(changed.json()) == (None, "fr")
    assert _where(changed.json()["effective"]) == ("Europe/Berlin", "fr")
    assert read.json() == changed.json()
    assert _where(reset.json()["effective"]) == ("Europe/Berlin", "de")
    assert _where(agent.json()["effective"]) == ("Asia/Tokyo", "de")


def _where(settings: dict[str, Any]) -> tuple[Any, Any]:
    return settings["time_zone"], settings["language"]


@pytest.mark.pg
async def test_policies_of_an_owner_replace_the_tenants_as_a_whole(
    client: httpx.AsyncClient,
) -> None:
    client.headers.update(OPERATOR)
    tenant = {"forgetting": {"archiving": "threshold", "threshold": 0.2}}
    await client.put("/v1/settings", json=tenant)
    own = await client.put("/v1/users/alice/settings", json={"forgetting": {"growth_days": 2}})
    other = await client.put("/v1/users/bob/settings", json={"mechanisms": {"thoughts": False}})

    assert own.json()["effective"]["forgetting"]["growth_days"] == 2
    assert own.json()["effective"]["forgetting"]["archiving"] == "off"  # the default, not theirs
    assert own.json()["mechanisms"] is None
    assert other.json()["effective"]["forgetting"]["threshold"] == 0.2
    assert other.json()["effective"]["mechanisms"]["thoughts"] is False
    assert other.json()["effective"]["mechanisms"]["linking"] is True


_SENSELESS: list[object] = [
    {"time_zone": "Mars/Olympus"},
    {"time_zone": "../../etc/passwd"},
    {"time_zone": "Europe"},
    {"time_zone": ""},
    {"language": "tlh"},
    {"language": "english"},
    {"colour": "red"},
    {"forgetting": {"law": "magic"}},
    {"forgetting": {"threshold": 1.5}},
    {"forgetting": {"ranking": 0.9}},
    {"forgetting": {"kinds": []}},
    {"mechanisms": {"linking": "yes"}},
    {"mechanisms": {"flying": True}},
    [],
]


@pytest.mark.pg
async def test_settings_that_make_no_sense_are_refused(client: httpx.AsyncClient) -> None:
    for body in _SENSELESS:
        for path in ("/v1/settings", "/v1/users/alice/settings"):
            response = await client.put(path, json=body, headers=OPERATOR)

            assert code_of(response) == "invalid-request", body


_IDS = ("a/b", "x/settings", "ünï côdé 🙂", "100%", "a?b#c", "a:erase", "-" * 256)
_NO_IDS = ("%00", "%20", "%20%09", "a%01b", "x" * 257, "%ED%A0%80%00")


@pytest.mark.pg
async def test_any_id_that_is_taken_can_be_read_and_erased(client: httpx.AsyncClient) -> None:
    client.headers.update(OPERATOR)
    for name in _IDS:
        path = f"/v1/users/{quote(name, safe='')}"
        made = await client.put(f"{path}/settings", json={})
        read = await client.get(f"{path}/settings")
        listed = (await client.get("/v1/users")).json()["items"]
        erased = await client.delete(path)

        assert (made.status_code, read.status_code) == (200, 200), name
        assert [user["id"] for user in listed] == [name]
        assert erased.json()["user_id"] == name


@pytest.mark.pg
async def test_an_id_that_cannot_be_one_is_refused(client: httpx.AsyncClient) -> None:
    for name in _NO_IDS:
        response = await client.put(f"/v1/users/{name}/settings", json={}, headers=OPERATOR)

        assert code_of(response) == "invalid-request", name
