"""Standing policy: who may call which route. Routes are enumerated, so that none is forgotten."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.main import PUBLIC_PATHS
from tests.api import OPERATOR, client_of, code_of, new_key, new_tenant, with_key

pytestmark = pytest.mark.pg

_METHODS = {"get", "post", "put", "patch", "delete"}
_SOMEBODY = "somebody-else"


class Operation(NamedTuple):
    method: str
    path: str
    scope: str | None
    description: dict[str, Any]

    def url(self, **values: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], str(uuid4())), self.path)


def _operations(app: FastAPI) -> Iterator[Operation]:
    for path, methods in app.openapi()["paths"].items():
        for method, description in methods.items():
            if method in _METHODS:
                asked = description.get("security", [{}])[0]
                scope = next((scopes[0] for scopes in asked.values()), None)
                yield Operation(method, path, scope, description)


def _protected(app: FastAPI) -> list[Operation]:
    return [one for one in _operations(app) if one.path not in PUBLIC_PATHS]


async def _call(
    client: httpx.AsyncClient, operation: Operation, key: str | None, **values: str
) -> httpx.Response:
    body: dict[str, str] | None = {} if "requestBody" in operation.description else None
    return await client.request(
        operation.method,
        operation.url(**values),
        headers=with_key(key) if key else None,
        params={
            parameter["name"]: "1"  # the version of a profile: all that a path asks for so far
            for parameter in operation.description.get("parameters", [])
            if parameter["in"] == "query" and parameter["required"]
        },
        json=body,
    )


async def test_every_route_is_public_by_name_or_asks_for_a_scope(api: FastAPI) -> None:
    described = {one.path for one in _operations(api)}

    paths = {re.sub(r":path\}", "}", str(route.path)) for route in iter_route_contexts(api.routes)}

    assert paths - described <= PUBLIC_PATHS
    assert [one.path for one in _protected(api) if one.scope is None] == []
    assert [one.path for one in _protected(api) if not one.path.startswith("/v1/")] == []


async def test_no_route_but_the_public_ones_answers_without_a_key(
    api: FastAPI, client: httpx.AsyncClient
) -> None:
    for operation in _protected(api):
        response = await _call(client, operation, None)

        assert (response.status_code, code_of(response)) == (401, "missing-api-key"), operation
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["rk_" + "x" * 43, "nonsense", "rk_", "rk_" + "é" * 43])
async def test_no_route_but_the_public_ones_answers_a_wrong_key(
    api: FastAPI, client: httpx.AsyncClient, key: str
) -> None:
    for operation in _protected(api):
        response = await client.request(
            operation.method, operation.url(), headers={b"X-API-Key": key.encode()}
        )

        assert (response.status_code, code_of(response)) == (401, "invalid-api-key"), operation


@pytest.mark.parametrize(
    ("held", "included"),
    [("read", {"read"}), ("write", {"read", "write"}), ("admin", {"read", "write", "admin"})],
)
async def test_a_key_without_the_scope_of_a_route_is_refused(
    api: FastAPI, client: httpx.AsyncClient, held: str, included: set[str]
) -> None:
    key = await new_key(client, scopes=[held])

    for operation in _protected(api):
        response = await _call(client, operation, key)

        refused = response.status_code == 403 and code_of(response) == "missing-scope"
        assert refused == (operation.scope not in included), (operation, response.text)
        assert response.status_code < 500, (operation, response.text)


async def test_no_id_of_one_tenant_means_anything_to_another(
    api: FastAPI, client: httpx.AsyncClient
) -> None:
    key_id = (await client.get("/v1/keys", headers=OPERATOR)).json()["items"][0]["id"]
    await client.put("/v1/agents/helper/settings", json={}, headers=OPERATOR)
    said = {"user_id": "alice", "session_id": "s", "items": [{"content": "the cat is grey"}]}
    stored = (await client.post("/v1/memories", json=said, headers=OPERATOR)).json()
    _, stranger = await new_tenant(client)
    ours = {
        "key_id": key_id,
        "user_id": "alice",
        "agent_id": "helper",
        "memory_id": stored["items"][0]["id"],
        "job_id": stored["job_id"],
        "evolution_id": stored["items"][0]["id"],
        "conflict_id": stored["items"][0]["id"],
        "session_id": "s",
    }
    memory = await client.get(f"/v1/memories/{ours['memory_id']}", headers=OPERATOR)
    assert memory.status_code == 200
    asked = 0

    for operation in _protected(api):
        if "{" not in operation.path or operation.scope == "operator":
            continue
        if operation.method == "put" and operation.path.endswith("/settings"):
            continue  # makes an owner of the stranger's own tenant
        assert set(re.findall(r"\{(\w+)\}", operation.path)) <= set(ours), operation
        asked += 1
        if "{session_id}" in operation.path:
            # The stranger's own user of this name, who has no such session.
            path = operation.url(**ours)
            response = await client.get(
                path, params={"user_id": "alice"}, headers=with_key(stranger)
            )
            assert (response.status_code, response.json()["items"]) == (200, []), operation
            continue
        response = await client.request(
            operation.method,
            operation.url(**ours),
            headers=with_key(stranger),
            params=_needed(api, operation) | _whose(api, operation),
            json=_body(api, operation) if "requestBody" in operation.description else None,
        )

        assert response.status_code == 404, (operation, response.text)
    assert asked >= 12
    assert (await client.get("/v1/users/alice/settings", headers=OPERATOR)).status_code == 200
    same = await client.get(f"/v1/memories/{ours['memory_id']}", headers=OPERATOR)
    assert same.json() == memory.json()


async def test_a_bound_key_cannot_name_another_user(
    api: FastAPI, client: httpx.AsyncClient
) -> None:
    await client.put(f"/v1/users/{_SOMEBODY}/settings", json={}, headers=OPERATOR)
    key = await new_key(client, user_id="alice")

    async with client_of(api, key) as bound:
        for operation in _protected(api):
            if "{user_id}" in operation.path:
                response = await _call(bound, operation, key, user_id=_SOMEBODY)
                assert code_of(response) == "other-owner", operation
            for place, name in _names(api, operation):
                named = {name: _SOMEBODY}
                response = await bound.request(
                    operation.method,
                    operation.url(),
                    params=_needed(api, operation) | named if place == "query" else None,
                    json=_body(api, operation) | (named if place == "body" else {})
                    if "requestBody" in operation.description
                    else None,
                )
                refused = response.status_code in {403, 404}
                assert refused, (operation, name, response.text)


def _whose(api: FastAPI, operation: Operation) -> dict[str, str]:
    """Name an owner where the query may; there is one of this name in both tenants."""
    named = {name for place, name in _names(api, operation) if place == "query"}
    return {"user_id": "alice"} if "user_id" in named else {}


def _needed(api: FastAPI, operation: Operation) -> dict[str, str]:
    """Return something for each member of the query that an operation cannot do without."""
    parameters = operation.description.get("parameters", [])
    needed = [one for one in parameters if one["in"] == "query" and one.get("required")]
    given = {one["name"]: str(_value(api, one["schema"])) for one in needed}
    return given | ({"until": "2027-01-31T09:30:00+01:00"} if "until" in given else {})


def _names(api: FastAPI, operation: Operation) -> Iterator[tuple[str, str]]:
    """Yield where an operation takes the name of an owner."""
    for parameter in operation.description.get("parameters", []):
        if parameter["name"] in {"user_id", "agent_id"} and parameter["in"] == "query":
            yield "query", parameter["name"]
    for name in {"user_id", "agent_id"} & set(_schema(api, operation).get("properties", {})):
        yield "body", name


def _schema(api: FastAPI, operation: Operation) -> dict[str, Any]:
    body = operation.description.get("requestBody")
    if body is None:
        return {}
    schema: dict[str, Any] = body["content"]["application/json"]["schema"]
    return _resolved(api, schema)


def _resolved(api: FastAPI, schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = api.openapi()["components"]["schemas"][name] if name else schema
    return found


def _body(api: FastAPI, operation: Operation) -> dict[str, Any]:
    """Return the smallest body that the route takes, made from its description."""
    schema = _schema(api, operation)
    return {name: _value(api, schema["properties"][name]) for name in schema.get("required", [])}


def _value(api: FastAPI, schema: dict[str, Any]) -> object:
    schema = _resolved(api, schema)
    if "anyOf" in schema:
        return _value(api, schema["anyOf"][0])
    if schema.get("format") == "date-time":
        return "2026-01-31T09:30:00+01:00"
    if offered := schema.get("enum") or schema.get("examples"):
        return offered[0]
    if schema.get("type") == "array":
        return [_value(api, schema["items"])]
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        return {name: _value(api, fields[name]) for name in schema.get("required", [])}
    return {"integer": 256, "number": 1.0, "boolean": True}.get(schema.get("type", ""), "text")
