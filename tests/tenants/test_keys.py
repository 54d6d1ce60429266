import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from app.kit.settings import HttpSettings, LimitSettings, Settings
from tests.api import OPERATOR, client_of, code_of, new_key, new_tenant, started, with_key

pytestmark = pytest.mark.pg


async def test_both_headers_are_taken_and_the_scheme_may_be_written_any_way(
    client: httpx.AsyncClient,
) -> None:
    key = await new_key(client)

    for headers in (
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer   {key}"},
        {"Authorization": f"BEARER {key}"},
        {"X-API-Key": key},
        {"Authorization": "Basic bm8=", "X-API-Key": key},
    ):
        assert (await client.get("/v1/users", headers=headers)).status_code == 200
    response = await client.get("/v1/users", headers={"Authorization": "Basic bm8="})
    assert code_of(response) == "missing-api-key"


async def test_the_secret_of_a_key_is_shown_once_and_only_its_hash_is_kept(
    client: httpx.AsyncClient, owner_engine: AsyncEngine
) -> None:
    key = await new_key(client, name="bot")

    listed = (await client.get("/v1/keys", headers=OPERATOR)).json()["items"]
    one = next(item for item in listed if item["name"] == "bot")
    read = (await client.get(f"/v1/keys/{one['id']}", headers=OPERATOR)).json()
    async with owner_engine.connect() as connection:
        dump = str((await connection.execute(sa.text("SELECT k::text FROM api_keys k"))).all())

    assert key.startswith("rk_")
    assert len(key) >= 35
    assert "key" not in one
    assert one["hint"] == key[-4:]
    assert read == one
    assert key not in dump


async def test_a_deleted_key_is_refused_at_once_and_gone_from_the_list(
    client: httpx.AsyncClient,
) -> None:
    key = await new_key(client, name="leaked")
    assert (await client.get("/v1/users", headers=with_key(key))).status_code == 200
    listed = (await client.get("/v1/keys", headers=OPERATOR)).json()["items"]
    key_id = next(item["id"] for item in listed if item["name"] == "leaked")

    deleted = await client.delete(f"/v1/keys/{key_id}", headers=OPERATOR)

    assert deleted.status_code == 204
    assert code_of(await client.get("/v1/users", headers=with_key(key))) == "invalid-api-key"
    for method in ("GET", "DELETE"):
        response = await client.request(method, f"/v1/keys/{key_id}", headers=OPERATOR)
        assert code_of(response) == "key-not-found"
    assert "leaked" not in (await client.get("/v1/keys", headers=OPERATOR)).text


async def test_another_replica_believes_a_deleted_key_only_for_the_set_time(
    settings: Settings, client: httpx.AsyncClient
) -> None:
    slow = settings.model_copy(update={"http": HttpSettings(key_cache_s=0.5)})
    key = await new_key(client, name="leaked")
    async with started(slow) as replica, client_of(replica, key) as there:
        assert (await there.get("/v1/users")).status_code == 200
        listed = (await client.get("/v1/keys", headers=OPERATOR)).json()["items"]
        key_id = next(item["id"] for item in listed if item["name"] == "leaked")
        await client.delete(f"/v1/keys/{key_id}", headers=OPERATOR)

        await asyncio.sleep(0.6)

        assert (await there.get("/v1/users")).status_code == 401


async def test_an_expired_key_is_refused_even_if_it_is_remembered(
    client: httpx.AsyncClient,
) -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=0.6)
    key = await new_key(client, expires_at=expires_at.isoformat())
    assert (await client.get("/v1/users", headers=with_key(key))).status_code == 200

    await asyncio.sleep(0.7)

    assert code_of(await client.get("/v1/users", headers=with_key(key))) == "invalid-api-key"


_USELESS: list[tuple[dict[str, object], str]] = [
    ({"scopes": []}, "invalid-request"),
    ({"scopes": ["root"]}, "invalid-request"),
    ({"user_id": "a", "agent_id": "b"}, "invalid-request"),
    ({"user_id": "a", "scopes": ["admin"]}, "invalid-request"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "invalid-key-request"),
    ({"expires_at": "2090-01-01T00:00:00"}, "invalid-request"),
    ({"requests_per_minute": 0}, "invalid-request"),
    ({"daily_items": 2**40}, "invalid-request"),
    ({"name": " "}, "invalid-request"),
    ({"colour": "red"}, "invalid-request"),
]


async def test_a_useless_key_is_not_made(client: httpx.AsyncClient) -> None:
    for body, code in _USELESS:
        asked = {"name": "test", "scopes": ["read"], **body}

        response = await client.post("/v1/keys", json=asked, headers=OPERATOR)

        assert (response.status_code, code_of(response)) == (422, code), body


async def test_an_admin_can_neither_grant_nor_revoke_the_operator_scope(
    client: httpx.AsyncClient,
) -> None:
    admin = with_key(await new_key(client, scopes=["admin"]))
    listed = (await client.get("/v1/keys", headers=OPERATOR)).json()["items"]
    operator_id = next(item["id"] for item in listed if item["name"] == "bootstrap")

    granted = await client.post(
        "/v1/keys", json={"name": "up", "scopes": ["operator"]}, headers=admin
    )
    revoked = await client.delete(f"/v1/keys/{operator_id}", headers=admin)

    assert code_of(granted) == "missing-scope"
    assert code_of(revoked) == "missing-scope"
    assert (await client.get("/v1/tenants", headers=OPERATOR)).status_code == 200


async def test_keys_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    names = [f"key {number}" for number in range(5)]
    for name in names:
        await new_key(client, name=name)

    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/keys", params=query, headers=OPERATOR)).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == ["bootstrap", *names]


async def test_a_key_may_send_only_so_many_requests_a_minute(client: httpx.AsyncClient) -> None:
    limited = with_key(await new_key(client, requests_per_minute=3))
    free = with_key(await new_key(client))

    answers = [await client.get("/v1/users", headers=limited) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-limit"] == "3"
    assert answers[0].headers["ratelimit-remaining"] == "2"
    assert code_of(answers[3]) == "rate-limited"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20
    assert (await client.get("/v1/users", headers=free)).status_code == 200


async def test_the_rate_of_keys_without_their_own_is_a_setting(settings: Settings) -> None:
    strict = settings.model_copy(update={"limits": LimitSettings(requests_per_minute=1)})
    async with started(strict) as app, client_of(app) as client:
        answers = [await client.get("/v1/users", headers=OPERATOR) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 429]


async def test_another_bootstrap_key_takes_the_place_of_the_first(
    settings: Settings, api: FastAPI
) -> None:
    renewed = settings.model_copy(update={"bootstrap_key": SecretStr("rk_another-operator-key")})

    async with started(renewed) as app, client_of(app) as client:
        old = await client.get("/v1/tenants", headers=OPERATOR)
        new = await client.get("/v1/tenants", headers=with_key("rk_another-operator-key"))

        assert code_of(old) == "invalid-api-key"
        assert [tenant["name"] for tenant in new.json()["items"]] == ["default"]


async def test_a_bootstrap_key_that_is_none_stops_the_start(settings: Settings) -> None:
    weak = settings.model_copy(update={"bootstrap_key": SecretStr("hunter2")})

    with pytest.raises(ValueError, match="APP_BOOTSTRAP_KEY"):
        async with started(weak):
            pass


async def test_replicas_that_start_together_bootstrap_once(settings: Settings) -> None:
    async def start() -> None:
        async with started(settings):
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(start())

    async with started(settings) as app, client_of(app) as client:
        assert len((await client.get("/v1/keys", headers=OPERATOR)).json()["items"]) == 1


async def test_a_tenant_sees_neither_the_other_tenants_keys_nor_its_row(
    client: httpx.AsyncClient,
) -> None:
    await new_key(client, name="ours")
    tenant_id, stranger = await new_tenant(client)

    keys = (await client.get("/v1/keys", headers=with_key(stranger))).json()["items"]
    tenant = await client.get(f"/v1/tenants/{tenant_id}", headers=with_key(stranger))

    assert [key["name"] for key in keys] == ["admin"]
    assert code_of(tenant) == "missing-scope"
