"""Live, ready, and what is measured."""

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from app.embeddings.fake import FakeEmbedder
from app.kit import metrics
from app.kit.settings import Settings
from tests.api import OPERATOR, client_of, code_of, new_key, started, with_key

pytestmark = pytest.mark.pg


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
