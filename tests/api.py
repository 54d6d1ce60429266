"""The api as tests talk to it: the whole application in this process, without a socket."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from app.embeddings.fake import FakeEmbedder
from app.embeddings.protocol import Embedder
from app.kit.settings import Settings
from app.main import create_app

OPERATOR_KEY = "rk_test-bootstrap-key"


def with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


OPERATOR = with_key(OPERATOR_KEY)


@asynccontextmanager
async def started(
    settings: Settings, *, embedder: Embedder | None = None
) -> AsyncGenerator[FastAPI]:
    """Yield the application with its lifespan entered."""
    app = create_app(settings, embedder=embedder or FakeEmbedder())
    async with app.router.lifespan_context(app):
        yield app


def client_of(app: FastAPI, key: str | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://api.test",
        headers=with_key(key) if key else None,
    )


async def new_key(client: httpx.AsyncClient, **body: object) -> str:
    """Return a new key of the default tenant; a ``write`` key unless told otherwise."""
    asked = {"name": "test", "scopes": ["write"], **body}
    response = await client.post("/v1/keys", json=asked, headers=OPERATOR)
    assert response.status_code == 201, response.text
    return str(response.json()["key"])


async def new_tenant(client: httpx.AsyncClient, name: str = "other") -> tuple[str, str]:
    """Return the id of a new tenant and its admin key."""
    response = await client.post("/v1/tenants", json={"name": name}, headers=OPERATOR)
    assert response.status_code == 201, response.text
    made = response.json()
    return str(made["id"]), str(made["key"]["key"])


def code_of(response: httpx.Response) -> str:
    """Return a problem's code, after a look at its shape."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(body)
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["type"].endswith("#" + body["code"])
    return str(body["code"])
