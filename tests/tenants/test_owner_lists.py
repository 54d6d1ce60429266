"""Users and agents are listed in the order they were first seen."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.kit.database import Database
from app.tenants import service
from app.tenants.schemas import OwnerName
from app.tenants.service.keys import DEFAULT_TENANT
from tests.api import OPERATOR, code_of, new_key, with_key

pytestmark = pytest.mark.pg

NOW = datetime(2026, 1, 31, 21, 0, tzinfo=UTC)


async def test_users_and_agents_are_listed_apart_page_by_page(client: httpx.AsyncClient) -> None:
    client.headers.update(OPERATOR)
    for name in ("a", "b", "c"):
        await client.put(f"/v1/users/{name}/settings", json={})
    await client.put("/v1/agents/z/settings", json={})

    first = (await client.get("/v1/users", params={"limit": 2})).json()
    second = (
        await client.get("/v1/users", params={"limit": 2, "cursor": first["next_cursor"]})
    ).json()
    agents = (await client.get("/v1/agents")).json()
    forged = await client.get("/v1/users", params={"cursor": "x"})

    assert [user["id"] for user in first["items"]] == ["a", "b"]
    assert [user["id"] for user in second["items"]] == ["c"]
    assert second["next_cursor"] is None
    assert [agent["id"] for agent in agents["items"]] == ["z"]
    assert code_of(forged) == "invalid-cursor"


async def test_pages_hold_all_who_were_there_and_a_late_commit_comes_with_the_next_list(
    client: httpx.AsyncClient, database: Database
) -> None:
    there = [f"user {n}" for n in range(4)]
    async with database.transaction(tenant_id=DEFAULT_TENANT) as late:
        await service.get_or_create_owner(late, DEFAULT_TENANT, OwnerName("user", "late"), NOW)
        async with database.transaction(tenant_id=DEFAULT_TENANT) as session:
            for name in there:
                await service.get_or_create_owner(
                    session, DEFAULT_TENANT, OwnerName("user", name), NOW
                )
        first = await _listed(client, limit=2)
    second = await _listed(client, limit=2, cursor=first["next_cursor"])
    anew = await _listed(client, limit=50)

    assert [user["id"] for page in (first, second) for user in page["items"]] == there
    assert [user["id"] for user in anew["items"]] == ["late", *there]


async def _listed(client: httpx.AsyncClient, **params: str | int) -> dict[str, Any]:
    answer = await client.get("/v1/users", params=params, headers=OPERATOR)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_bound_key_lists_nobody_but_its_owner(client: httpx.AsyncClient) -> None:
    for name in ("alice", "bob"):
        await client.put(f"/v1/users/{name}/settings", json={}, headers=OPERATOR)
        await client.put(f"/v1/agents/{name}/settings", json={}, headers=OPERATOR)
    bound = with_key(await new_key(client, user_id="alice"))

    users = (await client.get("/v1/users", headers=bound)).json()["items"]
    agents = (await client.get("/v1/agents", headers=bound)).json()["items"]

    assert [user["id"] for user in users] == ["alice"]
    assert agents == []
