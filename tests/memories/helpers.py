"""An api with a tenant of its own, and a look past it into the tables."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import psycopg
import sqlalchemy as sa
from fastapi import FastAPI
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from app.embeddings.fake import FakeEmbedder
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import Task, TaskContext, TaskRegistry
from app.kit.clock import now
from app.kit.database import Database
from app.kit.ids import new_id
from app.kit.settings import Settings
from app.launcher.embedded import EmbeddedPostgres
from app.memories import tasks
from app.memories.service import Spaces
from app.tenants.schemas import Scope
from tests.api import client_of, new_tenant, started, with_key

Json = dict[str, Any]
Sent = Any
"""Whatever a caller may send as a member."""

UNHOLDABLE: tuple[Json, ...] = (
    {"a": "\x00"},
    {"\x00": 1},
    {"a": ["\ud800"]},
    {"\udc00": {}},
    {"a": float("nan")},
    {"a": [{"b": float("-inf")}]},
)
"""Metadata that is JSON to Python, but not to Postgres."""

_DAY = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
_numbers = count(1)


def at(minute: float) -> str:
    """Return a time on the day on which all tests play."""
    return (_DAY + timedelta(minutes=minute)).isoformat()


def item(said: str | Json) -> Json:
    return {"content": said} if isinstance(said, str) else said


@contextmanager
def clone(postgres: EmbeddedPostgres, template: str, prefix: str) -> Iterator[str]:
    """Yield the name of a copy of a database; drop it afterwards."""
    name = f"{prefix}_{next(_numbers)}"
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as connection:
        names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
        copy = sql.SQL("CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        connection.execute(copy.format(**names))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))


@dataclass
class Store:
    """A running api, called with the key of a tenant of this test."""

    app: FastAPI
    client: httpx.AsyncClient
    embedder: FakeEmbedder
    engine: AsyncEngine
    settings: Settings
    tenant_id: UUID

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    @property
    def spaces(self) -> Spaces:
        spaces: Spaces = self.app.state.spaces
        return spaces

    # What a caller does.

    async def send(
        self, method: str, path: str, body: object, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send any JSON, also such as no good client would send."""
        content = json.dumps(body).encode("ascii")
        kind = {"Content-Type": "application/json"}
        return await self.client.request(
            method, path, content=content, headers=kind | (headers or {})
        )

    async def write(
        self, *said: str | Json, key: str | None = None, user_id: str | None = "alice", **more: Sent
    ) -> httpx.Response:
        """Send items as one request, whatever comes of it."""
        body = {"user_id": user_id, "items": [item(one) for one in said], **more}
        headers = {"Idempotency-Key": key} if key is not None else None
        return await self.send("POST", "/v1/memories", body, headers)

    async def remember(self, *said: str | Json, **more: Sent) -> list[Json]:
        """Store items; return what became of each."""
        answer = await self.write(*said, **more)
        assert answer.status_code == 201, answer.text
        stored: list[Json] = answer.json()["items"]
        return stored

    # A look must not change what it looks at: tests of reinforcement ask for it.

    async def recall(self, query: str, *, user_id: str | None = "alice", **more: Sent) -> Json:
        body = {"query": query, "user_id": user_id, "reinforce": False, **more}
        answer = await self.send("POST", "/v1/recall", body)
        assert answer.status_code == 200, answer.text
        recalled: Json = answer.json()
        return recalled

    async def found(self, query: str, **more: Sent) -> list[str]:
        """Return the contents of what is recalled, best first."""
        return [hit["content"] for hit in (await self.recall(query, **more))["hits"]]

    async def by_words(self, query: str, **more: Sent) -> list[str]:
        return await self.found(query, recipe="lexical", **more)

    async def by_vector(self, query: str, **more: Sent) -> list[str]:
        return await self.found(query, recipe="dense", **more)

    async def context(self, query: str, *, user_id: str | None = "alice", **more: Sent) -> Json:
        body = {"query": query, "user_id": user_id, "reinforce": False, **more}
        answer = await self.send("POST", "/v1/context", body)
        assert answer.status_code == 200, answer.text
        packed: Json = answer.json()
        return packed

    async def read(self, memory_id: str) -> Json:
        return await self.get(f"/v1/memories/{memory_id}")

    async def get(self, path: str, **params: str | int) -> Json:
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    async def edit(self, memory_id: str, **changes: Sent) -> Json:
        answer = await self.send("PATCH", f"/v1/memories/{memory_id}", changes)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    async def archive(self, memory_id: str) -> Json:
        return await self._post(f"/v1/memories/{memory_id}:archive")

    async def restore(self, memory_id: str) -> Json:
        return await self._post(f"/v1/memories/{memory_id}:restore")

    async def _post(self, path: str) -> Json:
        answer = await self.client.post(path)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    async def erase(self, memory_id: str) -> None:
        answer = await self.client.delete(f"/v1/memories/{memory_id}")
        assert answer.status_code == 204, answer.text

    # What lies behind.

    async def rows(self, statement: str, **values: Sent) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, past row-level security."""
        async with self.engine.begin() as connection:
            found = await connection.execute(sa.text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    async def scope(self, user_id: str = "alice") -> Scope:
        rows = await self.rows(
            "SELECT owner_id FROM owners WHERE tenant_id = :tenant_id AND external_id = :user_id",
            tenant_id=self.tenant_id,
            user_id=user_id,
        )
        return Scope(self.tenant_id, rows[0][0])

    async def count(self, table: str, user_id: str = "alice") -> int:
        scope = await self.scope(user_id)
        rows = await self.rows(
            f"SELECT count(*) FROM {table} WHERE owner_id = :owner_id", owner_id=scope.owner_id
        )
        return int(rows[0][0])

    async def task_context(
        self,
        user_id: str = "alice",
        *,
        scope: Scope | None = None,
        database: Database | None = None,
    ) -> TaskContext:
        """Return what a worker gives a task of a user's, or of the owner in ``scope``."""
        scope = scope or await self.scope(user_id)
        return TaskContext(
            database=database or self.database,
            tenant_id=scope.tenant_id,
            owner_id=scope.owner_id,
            job_id=new_id(),
        )

    def registry(self) -> TaskRegistry:
        """Return the room's tasks, on this api's embedders."""
        registry = TaskRegistry()
        tasks.register(registry, self.spaces, self.settings.housekeeping)
        return registry

    async def run_task(self, name: str, user_id: str = "alice") -> None:
        """Run one of the room's tasks for a user, as a worker would."""
        await self.registry().tasks[name](await self.task_context(user_id))

    async def keep_house(self, name: str, moment: datetime | None = None) -> None:
        await self.registry().chores[name](self.database, self.tenant_id, moment or now())


@asynccontextmanager
async def opened(
    settings: Settings, engine: AsyncEngine, *, embedder: FakeEmbedder | None = None
) -> AsyncGenerator[Store]:
    """Yield a running api with a tenant of its own."""
    embedder = embedder or FakeEmbedder()
    async with started(settings, embedder=embedder) as app, client_of(app) as client:
        tenant_id, key = await new_tenant(client, f"tenant {next(_numbers)}")
        client.headers.update(with_key(key))
        yield Store(app, client, embedder, engine, settings, UUID(tenant_id))


@asynccontextmanager
async def twin(store: Store) -> AsyncGenerator[Store]:
    """Yield a second process on the same database, called with the same key."""
    async with started(store.settings, embedder=store.embedder) as app, client_of(app) as client:
        client.headers.update(store.client.headers)
        yield Store(app, client, store.embedder, store.engine, store.settings, store.tenant_id)


async def until_done(task: Task, context: TaskContext) -> None:
    """Run a task as a worker would: again at once whenever it gives others a turn."""
    while True:
        try:
            return await task(context)
        except TaskPostponedError as error:
            if error.retry_in_s:
                raise


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 10) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        await asyncio.sleep(0.01)
