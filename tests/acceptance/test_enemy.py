"""What an enemy sends; the server refuses it, stays as it is, and serves everybody else."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Tenant
from tests.api import code_of, with_key
from tests.launcher.live import LiveServer

pytestmark = [pytest.mark.pg, pytest.mark.live, pytest.mark.usefixtures("lean")]

Json = dict[str, Any]

_BODIES = ["/v1/memories", "/v1/recall", "/v1/context"]
_JSON = {"Content-Type": "application/json"}
_MEGABYTE = 1_000_000


def _refused(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, code_of(response)


@pytest.mark.parametrize("path", _BODIES)
def test_what_is_not_json_is_refused(client: httpx.Client, path: str) -> None:
    for content, content_type, expected in (
        (b"", "application/json", (422, "invalid-request")),
        (b"", "text/plain", (415, "unsupported-media-type")),
        (b"{}", "text/plain", (415, "unsupported-media-type")),
        (b"{}", "application/x-www-form-urlencoded", (415, "unsupported-media-type")),
        (b"{}", "multipart/form-data; boundary=x", (415, "unsupported-media-type")),
        (b"<a/>", "application/xml", (415, "unsupported-media-type")),
        (b"{", "application/json", (422, "invalid-json")),
        (b"{}}", "application/json", (422, "invalid-json")),
        (b"\x00", "application/json", (422, "invalid-json")),
        (b"\xff\xfe\xfd", "application/json", (422, "invalid-json")),
        (b'"\xc3\x28"', "application/json", (422, "invalid-json")),
        (b"[" * 200_000, "application/json", (422, "invalid-json")),
        (b'{"a":' * 200_000, "application/json", (422, "invalid-json")),
        (b"1" * 100_000, "application/json", (422, "invalid-json")),
        (b"[]", "application/json", (422, "invalid-request")),
        (b'"items"', "application/json", (422, "invalid-request")),
    ):
        response = client.post(path, content=content, headers={"Content-Type": content_type})

        assert _refused(response) == expected, (content[:20], content_type)


@pytest.mark.parametrize("path", _BODIES)
def test_a_body_over_the_limit_is_refused_with_and_without_a_length(
    client: httpx.Client, path: str
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(17):
            yield b"x" * _MEGABYTE

    declared = client.post(path, content=b"x" * 17 * _MEGABYTE, headers=_JSON)
    chunked = client.post(path, content=chunks(), headers=_JSON)

    assert _refused(declared) == _refused(chunked) == (413, "body-too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * 999_999 + b"1]",
        b'{"items":[' + b"1," * 999_999 + b"1]}",
        b'{"items":[' + b"{}," * 5_000_000 + b"{}]}",
        b'{"filters":{"or":[' + b"[]," * 5_000_000 + b"[]]}}",
        b'{"kinds":[' + b'"",' * 5_000_000 + b'""]}',
        b"{" + b",".join(b'"%d":0' % number for number in range(_MEGABYTE)) + b"}",
    ],
    ids=["numbers", "items", "objects", "lists", "texts", "members"],
)
def test_millions_of_values_are_refused_unlooked_at(client: httpx.Client, body: bytes) -> None:
    for path in _BODIES:
        assert _refused(client.post(path, content=body, headers=_JSON)) == (413, "body-too-large")


def test_just_fewer_values_than_that_are_refused_quickly(client: httpx.Client) -> None:
    for body, expected in (
        ({"items": [1] * 400_000}, (413, "limit-exceeded")),
        ({str(number): 0 for number in range(100_000)}, (422, "invalid-request")),
        ({"items": [{str(n): 0 for n in range(64)}] * 1_000}, (422, "invalid-request")),
        ({"items": [{"content": "x", "metadata": {"a": [[]] * 200_000}}]}, (413, "limit-exceeded")),
    ):
        response = client.post("/v1/memories", json={"user_id": "alice", **body})

        assert _refused(response) == expected
        assert response.elapsed.total_seconds() < 10
        assert len(response.content) < 20_000


_BAD_TEXTS = ['"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udfff\\ud800"']
_BAD_VALUES = [*_BAD_TEXTS, "NaN", "Infinity", "-Infinity", '{"\\u0000":1}', "[" * 900 + "]" * 900]
_MEMORY = "PATCH /v1/memories/{memory_id}"
_TEXTS = (
    ("POST /v1/recall", '{"user_id": "alice", "query": BAD}'),
    ("POST /v1/recall", '{"user_id": "alice", "query": "cat", "session_id": BAD}'),
    ("POST /v1/recall", '{"user_id": "alice", "query": "cat", "kinds": [BAD]}'),
    ("POST /v1/recall", '{"user_id": "alice", "query": "cat", "filters": {"role": {"eq": BAD}}}'),
    ("POST /v1/recall", '{"user_id": "alice", "query": "cat", "filters": {"id": {"in": [BAD]}}}'),
    ("POST /v1/recall", '{"user_id": "alice", "query": "cat", "filters": {BAD: {"eq": 1}}}'),
    ("POST /v1/context", '{"user_id": "alice", "query": BAD}'),
    (_MEMORY, '{"content": BAD}'),
    (_MEMORY, '{"place": BAD}'),
    ("PUT /v1/users/alice/settings", '{"time_zone": BAD}'),
)
_VALUES = (
    ("POST /v1/recall", '{"user_id": "a", "query": "b", "filters": {"metadata.a": {"eq": BAD}}}'),
    ("POST /v1/recall", '{"user_id": "a", "query": "b", "filters": {"metadata.a": {"in": [BAD]}}}'),
    (_MEMORY, '{"metadata": {"a": BAD}}'),
)


def _sent(client: httpx.Client, operation: str, body: str) -> httpx.Response:
    method, _, path = operation.partition(" ")
    return client.request(method, path, content=body.encode(), headers=_JSON)


@pytest.fixture
def memory_id(client: httpx.Client) -> str:
    """A memory to be edited."""
    item = {"content": "I adopted a grey cat called Miso."}
    stored = client.post("/v1/memories", json={"user_id": "alice", "items": [item]})
    return str(stored.json()["items"][0]["id"])


@pytest.mark.parametrize(
    ("templates", "bads"), [(_TEXTS, _BAD_TEXTS), (_VALUES, _BAD_VALUES)], ids=["texts", "values"]
)
def test_what_postgres_cannot_hold_is_refused_wherever_it_is_sent(
    client: httpx.Client,
    memory_id: str,
    templates: Sequence[tuple[str, str]],
    bads: Sequence[str],
) -> None:
    for operation, template in templates:
        for bad in bads:
            body = template.replace("BAD", bad)
            response = _sent(client, operation.format(memory_id=memory_id), body)

            assert response.status_code == 422, (operation, body[:100])
    assert client.get(f"/v1/memories/{memory_id}").json()["metadata"] == {}


def test_an_edit_has_the_limits_of_a_write(client: httpx.Client, memory_id: str) -> None:
    path = f"/v1/memories/{memory_id}"

    for change in ({"content": "x" * 1_048_577}, {"metadata": {"a": "x" * 16_384}}):
        assert _refused(client.patch(path, json=change)) == (413, "limit-exceeded")
    deep: Json = {}
    for _ in range(9):
        deep = {"a": deep}
    assert _refused(client.patch(path, json={"metadata": deep})) == (422, "invalid-item")
    assert client.get(path).json()["content"] == "I adopted a grey cat called Miso."


def test_numbers_beyond_every_column_are_answered(client: httpx.Client) -> None:
    huge = 10**400
    for field, operand in (
        ("importance", huge),
        ("importance", -huge),
        ("importance", 1e-320),
        ("metadata.n", huge),
        ("metadata.n", -huge),
    ):
        filters = {field: {"lt": operand}}
        asked = {"query": "cat", "user_id": "alice", "filters": filters}
        assert client.post("/v1/recall", json=asked).status_code == 200, filters
    for path in ("/v1/memories?user_id=alice", "/v1/users?", "/v1/jobs?"):
        assert client.get(f"{path}&limit=1{'0' * 5_000}").status_code == 422


def test_a_filter_of_ninety_thousand_values_is_refused(client: httpx.Client) -> None:
    values = [[f"{group}-{value}" for value in range(1_000)] for group in range(90)]
    for field in ("role", "metadata.role"):
        tree = {"or": [{field: {"in": group}} for group in values]}
        body = {"query": "cat", "user_id": "alice", "filters": tree}

        assert _refused(client.post("/v1/recall", json=body)) == (422, "invalid-filter")


@pytest.mark.parametrize("path", ["/v1/memories", "/v1/sessions", "/v1/sessions/s/messages"])
def test_cursors_that_nobody_gave_out_are_refused(client: httpx.Client, path: str) -> None:
    client.post(
        "/v1/memories",
        json={"user_id": "alice", "session_id": "s", "items": [{"content": "Good morning."}]},
    )
    for cursor in ("", "x", "djE6", "djE6LTE", "djE6OTIyMzM3MjAzNjg1NDc3NTgwNw", "👻", "\x00"):
        response = client.get(path, params={"user_id": "alice", "cursor": cursor})

        assert _refused(response) == (422, "invalid-cursor"), cursor


@pytest.mark.parametrize(
    "user_id",
    ["%00", "%0A", "%7F", "%2E", "%2E%2E", "%20", "%C2%A0", "x" * 257],
)
def test_names_that_nobody_can_have_are_refused_in_a_path(
    client: httpx.Client, user_id: str
) -> None:
    for method, path in (
        ("GET", f"/v1/users/{user_id}/settings"),
        ("PUT", f"/v1/users/{user_id}/settings"),
        ("DELETE", f"/v1/agents/{user_id}"),
        ("GET", f"/v1/sessions/{user_id}/messages?user_id=alice"),
    ):
        body = b"{}" if method == "PUT" else None
        response = client.request(method, path, content=body, headers=_JSON)

        assert _refused(response) == (422, "invalid-request"), (method, path)


async def _identical(server: LiveServer, tenant: Tenant, headers: dict[str, str]) -> list[Json]:
    body = {"user_id": "alice", "items": [{"content": "Miso is grey.", "client_id": "m-1"}]}
    headers = {**with_key(tenant.write_key), **headers}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
        answers = await asyncio.gather(*(client.post("/v1/memories", json=body) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {201}, answers[0].text
    return [json.loads(answer.text) for answer in answers]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["client_id", "key"])
async def test_identical_requests_at_once_store_one_copy(
    server: LiveServer, tenant: Tenant, headers: dict[str, str]
) -> None:
    answers = await _identical(server, tenant, headers)

    assert len({answer["items"][0]["id"] for answer in answers}) == 1
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        client.headers.update(with_key(tenant.write_key))
        listed = await client.get("/v1/memories", params={"user_id": "alice"})
    assert len(listed.json()["items"]) == 1
