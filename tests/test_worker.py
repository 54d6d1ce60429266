"""The worker process, as it is started."""

import asyncio
import contextlib
import os
import signal
import sys
import time

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.embeddings.fake import FakeEmbedder
from app.kit.database import Database
from app.kit.settings import Settings
from app.worker import build_registry
from tests.sidecar.live import free_port

pytestmark = pytest.mark.pg


def test_every_rooms_housekeeping_is_registered(database: Database, settings: Settings) -> None:
    registry = build_registry(database, FakeEmbedder(), settings)

    assert {"jobs.repair", "jobs.prune", "llm.prune"} <= set(registry.chores)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_starts_and_stops_when_told(
    settings: Settings, owner_engine: AsyncEngine, number: signal.Signals
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.cli",
        "worker",
        env={**os.environ, "APP_DATABASE_URL": settings.required_database_url()},
    )
    try:
        async with asyncio.timeout(60):
            while not await _workers(owner_engine):
                assert process.returncode is None
                await asyncio.sleep(0.1)
        told = time.monotonic()
        process.send_signal(number)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert code == 0
    assert time.monotonic() - told < 8
    assert await _workers(owner_engine) == 0


async def test_a_worker_serves_its_own_metrics_where_it_is_given_a_port(settings: Settings) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.cli",
        "worker",
        env={
            **os.environ,
            "APP_DATABASE_URL": settings.required_database_url(),
            "APP_JOBS__METRICS_PORT": str(port),
        },
    )
    try:
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            text = ""
            while not text:
                assert process.returncode is None
                with contextlib.suppress(httpx.TransportError):
                    text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
                await asyncio.sleep(0.1)
    finally:
        process.kill()
        await process.wait()

    assert "# TYPE remembrancer_llm_seconds histogram" in text


async def _workers(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        count = sa.text("SELECT count(*) FROM procrastinate_workers")
        return await connection.scalar(count) or 0
