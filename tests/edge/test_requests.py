"""Every request: its id, its place in the log, its origin and its size."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import structlog
import uvicorn
from fastapi import FastAPI

from app.embeddings.fake import FakeEmbedder
from app.kit.settings import HttpSettings, LimitSettings, Settings
from app.main import create_app
from tests.api import OPERATOR, client_of, code_of, started
from tests.edge.routes import add_routes

pytestmark = pytest.mark.pg


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
    add_routes(app)

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


@pytest.mark.parametrize("path", ["/docs", "/docs/problems", "/openapi.json"])
async def test_the_documentation_needs_no_key(settings: Settings, path: str) -> None:
    async with started(settings) as app, client_of(app) as client:
        response = await client.get(path)

    assert response.status_code == 200
    assert path != "/docs/problems" or 'id="missing-api-key"' in response.text
