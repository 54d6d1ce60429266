"""What fails is a problem that says why, and neither it nor the log holds callers' data."""

import httpx
import pytest
import structlog

from app.kit.settings import HttpSettings, Settings
from tests.api import client_of, code_of, started
from tests.edge.routes import SECRET

pytestmark = pytest.mark.pg


async def test_a_commit_that_fails_is_a_500_and_no_201(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        response = await client.post("/v1/test/commit")

    assert (response.status_code, code_of(response)) == (500, "internal-error")
    assert "stored" not in response.text
    assert "UniqueViolation" in str(logs)


async def test_a_bug_is_logged_once_with_its_place_and_without_data(
    client: httpx.AsyncClient,
) -> None:
    with structlog.testing.capture_logs() as logs:
        response = await client.post("/v1/test/bug", headers={"X-Request-ID": "find-me"})

    errors = [entry for entry in logs if entry["log_level"] == "error"]
    assert code_of(response) == "internal-error"
    assert response.json()["request_id"] == "find-me"
    assert len(errors) == 1
    assert "routes.py" in errors[0]["traceback"]
    assert "SQLSTATE 22P02" in errors[0]["traceback"]
    assert "zebra" not in str(logs) + response.text


_BODIES: list[tuple[bytes, str, int, str | None]] = [
    (b"{", "application/json", 422, "invalid-json"),
    (b'{"name": }', "application/json", 422, "invalid-json"),
    (b'{"name": "\xff"}', "application/json", 422, "invalid-json"),
    (b"[" * 100_000, "application/json", 422, "invalid-json"),
    (b'{"name": "a", "number": ' + b"1" * 5000 + b"}", "application/json", 422, "invalid-json"),
    (b'{"name": "a"}', "text/plain", 415, "unsupported-media-type"),
    (b"name=a", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
    (b"", "application/json", 422, "invalid-request"),
    (b"7", "application/json", 422, "invalid-request"),
    (b"null", "application/json", 422, "invalid-request"),
    (b'{"name": "\\u0000"}', "application/json", 422, "invalid-request"),
    (b'{"name": "\\ud800"}', "application/json", 422, "invalid-request"),
    (b'{"name": "a", "at": "2026-01-31T09:30:00"}', "application/json", 422, "invalid-request"),
    (b'{"name": "a"}', "application/json; charset=utf-8", 200, None),
    (b'{"name": "a"}', "application/vnd.api+json", 200, None),
]


async def test_a_body_that_cannot_be_read_says_why(client: httpx.AsyncClient) -> None:
    for content, content_type, status, code in _BODIES:
        response = await client.post(
            "/v1/test/echo", content=content, headers={"Content-Type": content_type}
        )

        assert response.status_code == status, (content[:40], response.text)
        assert code is None or code_of(response) == code, content[:40]


async def test_what_is_wrong_is_named_and_what_was_sent_is_not_repeated(
    client: httpx.AsyncClient,
) -> None:
    body = {"name": ["zebra"], "number": "zebra", "at": "zebra"}

    response = await client.post("/v1/test/echo", json=body)

    errors = response.json()["errors"]
    assert {error["path"] for error in errors} == {"body.name", "body.number", "body.at"}
    assert all(set(error) == {"path", "message", "type"} for error in errors)
    assert "zebra" not in response.text


async def test_a_name_with_a_lone_surrogate_in_it_can_be_complained_about(
    client: httpx.AsyncClient,
) -> None:
    response = await client.put(
        "/v1/settings",
        content=b'{"\\ud800": 1}',
        headers={"Content-Type": "application/json"},
    )

    assert code_of(response) == "invalid-request"


async def test_unknown_paths_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    nowhere = await client.get("/v2/memories")
    method = await client.post("/v1/users")

    assert (nowhere.status_code, code_of(nowhere)) == (404, "route-not-found")
    assert (method.status_code, code_of(method)) == (405, "method-not-allowed")
    assert method.headers["allow"] == "GET"


async def test_types_are_urls_where_the_public_url_is_known(settings: Settings) -> None:
    known = settings.model_copy(update={"http": HttpSettings(public_url="https://memory.example/")})
    async with started(known) as app, client_of(app) as client:
        problem = (await client.get("/v1/users")).json()

    assert problem["type"] == "https://memory.example/docs/problems#missing-api-key"


async def test_an_answer_that_breaks_off_is_logged_without_data(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(RuntimeError) as broken:
        await client.get("/v1/test/broken-off")

    assert "ValueError" in logs[0]["traceback"]
    assert SECRET not in str(logs) + str(broken.value)
    assert broken.value.__suppress_context__
