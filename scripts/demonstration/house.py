"""The service in this process, with a database that goes with it and a clock that can be set."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from app.embeddings.protocol import Embedder
from app.ingestion.service import ENRICHMENT_TASKS
from app.jobs.protocol import TaskContext
from app.kit import clock
from app.kit.database import Database
from app.kit.ids import new_id
from app.kit.settings import DatabaseSettings, Settings
from app.launcher import migrations
from app.launcher.embedded import EmbeddedPostgres
from app.main import create_app
from app.tenants import service as tenants
from app.tenants.schemas import OwnerName
from app.tenants.service.keys import DEFAULT_TENANT
from app.worker import build_registry

_KEY = "rk_" + "demonstration" * 4
_DATABASE = "demonstration"

Json = Any
"""Whatever the service answers."""


class Clock:
    """Tells the service what time it is."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the time in the story."""
        return self.moment

    def set(self, day: date, at: time) -> None:
        """Move to a time of a day, UTC."""
        self.moment = datetime.combine(day, at, UTC)

    @contextmanager
    def ruling(self) -> Iterator[None]:
        """Let the whole service live by this clock."""
        with mock.patch.object(clock, "now", self.now):
            yield


class House:
    """One user's life in a service of its own."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, user: str) -> None:
        self.user = user
        self._client = client
        self._app = app
        self._registry = build_registry(
            self._database, app.state.embedder, app.state.settings, llm=None
        )

    def of(self, user: str) -> "House":
        """Return another user's life in the same service."""
        return House(self._app, self._client, user)

    @property
    def _database(self) -> Database:
        database: Database = self._app.state.database
        return database

    async def call(self, method: str, path: str, body: object = None) -> Json:
        """Make a request; return the JSON, or the text of what is none."""
        answer = await self._client.request(method, path, json=body)
        answer.raise_for_status()
        is_json = "json" in answer.headers.get("content-type", "")
        return json.loads(answer.content) if is_json else answer.text

    async def read(self, path: str) -> Json:
        """Read something of the user's."""
        return await self.call("GET", f"/v1/users/{self.user}/{path}")

    async def organise(self) -> None:
        """Run what the worker would: the chain behind writes, and housekeeping."""
        context = await self._context()
        for name in ENRICHMENT_TASKS:
            await self._registry.tasks[name](context)

    async def keep_house(self) -> None:
        """Close days and let what has faded go, as the worker does now and then."""
        for name in ("profiles.close_days", "forgetting.forget"):
            await self._registry.chores[name](self._database, DEFAULT_TENANT, clock.now())
        context = await self._context()
        for name in ("profiles.summarise", "profiles.refresh", "forgetting.run"):
            await self._registry.tasks[name](context)

    async def reinforce(self) -> None:
        """Strengthen what was recalled now, not in a second."""
        await self._app.state.reinforcer.flush()

    async def _context(self) -> TaskContext:
        async with self._database.transaction(tenant_id=DEFAULT_TENANT) as session:
            scope = await tenants.enter(session, DEFAULT_TENANT, OwnerName("user", self.user))
        return TaskContext(
            database=self._database,
            tenant_id=DEFAULT_TENANT,
            owner_id=scope.owner_id if scope else None,
            job_id=new_id(),
        )


@asynccontextmanager
async def opened(directory: Path, embedder: Embedder, user: str) -> AsyncGenerator[House]:
    """Yield a service with an empty database in ``directory``."""
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    try:
        server.ensure_database(_DATABASE)
        migrations.upgrade(server.owner_url(_DATABASE))
        migrations.allow_app_login(server.owner_url(_DATABASE), server.password("app"))
        settings = Settings(
            database_url=SecretStr(server.app_url(_DATABASE)),
            bootstrap_key=SecretStr(_KEY),
            data_dir=directory,
            database=DatabaseSettings(pool_size=4),
        )
        app = create_app(settings, embedder=embedder)
        headers = {"Authorization": f"Bearer {_KEY}"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://demo", headers=headers
            ) as client,
        ):
            yield House(app, client, user)
    finally:
        server.stop()
