"""The edge of the api: problems, limits, ids, probes, metrics, the OpenAPI document."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from app.embeddings.fake import FakeEmbedder
from app.kit import metrics
from app.kit.settings import HttpSettings, LimitSettings, Settings
from app.kit.text import AwareTime, ExternalId
from app.main import create_app
from app.tenants.dependencies import DatabaseDep, SessionDep, WriterDep
from tests.api import OPERATOR, client_of, code_of, new_key, started, with_key

pytestmark = pytest.mark.pg

_SECRET = "zebra"
_DUPLICATES = """
    CREATE TEMP TABLE twice (text text UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP
"""


class _Echo(BaseModel):
    name: ExternalId
    at: AwareTime | None = None
    number: int = 0


def _add_routes(app: FastAPI) -> None:
    """Add routes that fail in ways that the real ones do not."""

    @app.post("/v1/test/echo")
    async def echo(_: WriterDep, body: _Echo) -> _Echo:
        return body

    @app.post("/v1/test/commit", status_code=201)
    async def fail_to_commit(_: WriterDep, session: SessionDep) -> dict[str, bool]:
        await session.execute(sa.text(_DUPLICATES))
        for _n in range(2):
            await session.execute(sa.text("INSERT INTO twice VALUES (:text)"), {"text": _SECRET})
        return {"stored": True}

    @app.get("/v1/test/broken-off")
    async def break_off(_: WriterDep) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"begun"
            raise ValueError(_SECRET)

        return StreamingResponse(parts())

    @app.post("/v1/test/bug")
    async def fail(_: WriterDep, database: DatabaseDep) -> None:
        async with database.transaction() as session:
            await session.execute(sa.text("SELECT CAST(:text AS integer)"), {"text": _SECRET})


@pytest.fixture
async def api(settings: Settings) -> AsyncGenerator[FastAPI]:
    async with started(settings) as app:
        _add_routes(app)
        yield app


@pytest.fixture
async def client(api: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    async with client_of(api) as opened:
        opened.headers.update(OPERATOR)
        yield opened


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
    assert "test_main.py" in errors[0]["traceback"]
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


async def test_a_request_id_is_taken_over_if_it_is_sane_and_made_if_not(
    client: httpx.AsyncClient,
) -> None:
    async def answered(sent: str) -> str:
        response = await client.get("/healthz/live", headers={"X-Request-ID": sent})
        return str(response.headers["x-request-id"])

    assert await answered("trace-7:a.b_c") == "trace-7:a.b_c"
    for bad in ("", "x" * 129, "a b", "<script>"):
        assert len(await answered(bad)) == 32
    assert len((await client.get("/healthz/live")).headers["x-request-id"]) == 32


async def test_the_log_names_the_template_of_a_route_and_never_its_path(
    client: httpx.AsyncClient,
) -> None:
    with structlog.testing.capture_logs() as logs:
        await client.get("/v1/users/zebra/settings")
        await client.get("/zebra")

    assert [(entry["route"], entry["status"]) for entry in logs] == [
        ("/v1/users/{user_id}/settings", 404),
        ("unmatched", 404),
    ]
    assert [entry["code"] for entry in logs] == ["owner-not-found", "route-not-found"]
    assert {"method", "route", "status", "ms"} <= set(logs[0])
    assert "zebra" not in str(logs)


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


async def test_browsers_may_call_from_the_set_origins_only(settings: Settings) -> None:
    open_to_one = settings.model_copy(
        update={"http": HttpSettings(cors_origins=("https://app.example",))}
    )
    async with started(open_to_one) as app, client_of(app) as client:
        asked = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        }
        ours = await client.options("/v1/users", headers=asked | {"Origin": "https://app.example"})
        theirs = await client.options("/v1/users", headers=asked | {"Origin": "https://x.example"})
        refused = await client.get("/v1/users", headers={"Origin": "https://app.example"})

    assert ours.status_code == 200
    assert ours.headers["access-control-allow-origin"] == "https://app.example"
    assert theirs.status_code == 400
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://app.example"


@asynccontextmanager
async def _listening(app: FastAPI) -> AsyncGenerator[str]:
    """Serve the application on a real socket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:  # noqa: ASYNC110  -- uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def test_a_body_over_the_limit_is_refused_declared_or_streamed(settings: Settings) -> None:
    small = settings.model_copy(update={"limits": LimitSettings(body_bytes=1000)})
    app = create_app(small, embedder=FakeEmbedder())
    _add_routes(app)

    async def streamed(size: int) -> AsyncIterator[bytes]:
        yield b'{"name": "'
        for _ in range(size // 100):
            yield b"x" * 100
        yield b'"}'

    headers = {**OPERATOR, "Content-Type": "application/json"}
    async with _listening(app) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        declared = await client.post("/v1/test/echo", content=b"x" * 5_000_000)
        chunked = await client.post("/v1/test/echo", content=streamed(5_000_000))
        fits = await client.post("/v1/test/echo", content=streamed(200))

    for response in (declared, chunked):
        assert (response.status_code, code_of(response)) == (413, "body-too-large")
        assert "1000 bytes" in response.json()["detail"]
    assert fits.status_code == 200


async def test_a_stranger_is_refused_before_the_body_is_read(api: FastAPI) -> None:
    async def never() -> dict[str, Any]:
        msg = "the body was read"
        raise AssertionError(msg)

    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401  -- ASGI's own type
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/memories",
        "raw_path": b"/v1/memories",
        "query_string": b"",
        "headers": [(b"content-length", b"1000000"), (b"x-api-key", b"rk_" + b"x" * 43)],
    }
    await api(scope, never, send)

    assert sent[0]["status"] == 401


async def test_ready_names_each_part(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz/ready")

    assert response.json() == {
        "status": "ready",
        "parts": {"database": "ok", "schema": "ok", "embedder": "ok"},
    }


async def test_without_an_embedder_it_is_ready_and_says_so(settings: Settings) -> None:
    away = FakeEmbedder()
    away.failing = True
    async with started(settings, embedder=away) as app, client_of(app) as client:
        response = await client.get("/healthz/ready")

    assert response.status_code == 200
    assert response.json()["parts"]["embedder"] == "away"


async def test_without_a_database_it_is_live_but_not_ready(settings: Settings) -> None:
    nowhere = settings.model_copy(
        update={
            "database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none"),
            "bootstrap_key": None,
        }
    )
    async with started(nowhere) as app, client_of(app) as client:
        live = await client.get("/healthz/live")
        ready = await client.get("/healthz/ready")
        users = await client.get("/v1/users", headers=OPERATOR)
        scraped = await client.get("/metrics")

    assert live.json() == {"status": "live"}
    assert (ready.status_code, code_of(ready)) == (503, "not-ready")
    assert ready.json()["parts"] == {"database": "away", "schema": "away", "embedder": "ok"}
    assert (users.status_code, code_of(users)) == (503, "database-unavailable")
    assert "retry-after" in users.headers
    assert scraped.status_code == 200


async def test_with_a_schema_older_than_the_code_it_is_not_ready(
    client: httpx.AsyncClient, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE memories DROP COLUMN pinned"))

    response = await client.get("/healthz/ready")

    assert code_of(response) == "not-ready"
    assert response.json()["parts"]["schema"] == "behind"


async def test_metrics_count_requests_by_template_stages_pool_and_queue(
    client: httpx.AsyncClient,
) -> None:
    with metrics.stage("sql"):
        await client.get("/v1/users/zebra/settings")

    text = (await client.get("/metrics")).text

    expected = 'method="GET",route="/v1/users/{user_id}/settings",status="4xx"'
    assert f"remembrancer_http_request_seconds_count{{{expected}}}" in text
    assert 'remembrancer_stage_seconds_count{stage="sql"}' in text
    assert 'remembrancer_database_connections{state="size"} 5.0' in text
    assert "remembrancer_queue_tasks" in text
    assert "remembrancer_queue_backlog" in text
    assert 'remembrancer_llm_today{what="tokens_in"} 0.0' in text
    assert "zebra" not in text


async def test_metrics_beyond_loopback_need_an_admin_key_or_a_setting(settings: Settings) -> None:
    exposed = settings.model_copy(update={"host": "0.0.0.0"})
    async with started(exposed) as app, client_of(app) as client:
        reader = await new_key(client, scopes=["read"])
        assert code_of(await client.get("/metrics")) == "missing-api-key"
        assert code_of(await client.get("/metrics", headers=with_key(reader))) == "missing-scope"
        assert (await client.get("/metrics", headers=OPERATOR)).status_code == 200
    opened = exposed.model_copy(update={"metrics_open": True})
    async with started(opened) as app, client_of(app) as client:
        assert (await client.get("/metrics")).status_code == 200


async def test_an_answer_that_breaks_off_is_logged_without_data(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(RuntimeError) as broken:
        await client.get("/v1/test/broken-off")

    assert "ValueError" in logs[0]["traceback"]
    assert _SECRET not in str(logs) + str(broken.value)
    assert broken.value.__suppress_context__


@pytest.mark.parametrize("path", ["/docs", "/docs/problems", "/openapi.json"])
async def test_the_documentation_needs_no_key(settings: Settings, path: str) -> None:
    async with started(settings) as app, client_of(app) as client:
        response = await client.get(path)

    assert response.status_code == 200
    assert path != "/docs/problems" or 'id="missing-api-key"' in response.text


def _document(settings: Settings) -> dict[str, Any]:
    document: dict[str, Any] = create_app(settings, embedder=FakeEmbedder()).openapi()
    return document


def _operations(settings: Settings) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, operations in _document(settings)["paths"].items()
        for method, operation in operations.items()
    }


def test_operation_ids_are_the_names_of_functions_and_differ(settings: Settings) -> None:
    names = [operation["operationId"] for operation in _operations(settings).values()]

    assert len(names) == len(set(names))
    assert {"create_key", "list_users", "erase_user", "ready"} <= set(names)


def test_every_operation_declares_its_failures_as_problems(settings: Settings) -> None:
    for name, operation in _operations(settings).items():
        failures = {code: one for code, one in operation["responses"].items() if code >= "4"}
        assert {"500", "503"} <= set(failures), name
        if "security" in operation:
            assert {"401", "403", "429"} <= set(failures), name
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(failures), name
        for failure in failures.values():
            content = failure["content"]["application/problem+json"]
            assert set(failure["content"]) == {"application/problem+json"}
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["examples"]


def test_the_document_holds_nothing_of_the_frameworks_own_errors(settings: Settings) -> None:
    text = json.dumps(_document(settings))

    assert "HTTPValidationError" not in text
    assert '"Problem"' in text
    assert set(_document(settings)["components"]["securitySchemes"]) == {"bearer", "api_key"}
