"""What one more write of 20 memories costs each mechanism, at growing sizes of one owner's store.

Runs the chain in this process, without a language model. Texts are made up and vectors are
mixtures of real ones that cost nothing to make, so the figures are those of the mechanisms. Figures
are processor time, of this process and the database's: the clock would count whoever else works.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from pydantic import SecretStr

from app.embeddings.client import HttpEmbedder
from app.ingestion import service as ingestion
from app.ingestion.schemas import MemoriesCreate, MemoryItem
from app.ingestion.service import ENRICHMENT_TASKS
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext, TaskRegistry
from app.kit import clock
from app.kit.database import Database, sqlalchemy_url
from app.kit.settings import DatabaseSettings, EmbeddingSettings, Settings
from app.launcher import migrations
from app.launcher.embedded import EmbeddedPostgres
from app.memories.service import Spaces
from app.tenants.schemas import Principal
from app.worker import build_registry
from scripts.bench import corpus, processors
from scripts.bench.linking_cost import Mixtures
from scripts.bench.sidecar import running_sidecar

WRITES = 9
ONE_MORE = 20
TENANT, OWNER = UUID(int=1), "owner"
PER_DAY = 200
_FIRST_DAY = datetime(2010, 1, 1, tzinfo=UTC)

_ADD_TENANT = sa.text("""
    INSERT INTO tenants (tenant_id, name, created_at) VALUES (:tenant_id, 'bench', now())
""")
_OWNER_ID = sa.text("SELECT owner_id FROM owners WHERE external_id = :name")
_RENEW = sa.text("UPDATE profile_states SET is_forced = true WHERE owner_id = :owner_id")


def new_database(server: EmbeddedPostgres, name: str) -> str:
    """Make an empty database; return its URL for the application."""
    server.ensure_database(name)
    migrations.upgrade(server.owner_url(name))
    migrations.allow_app_login(server.owner_url(name), server.password("app"))
    return server.app_url(name)


class Store:
    """One owner's store that grows, and the tasks that organise it."""

    def __init__(self, database: Database, embedder: Mixtures, registry: TaskRegistry) -> None:
        self.held = 0
        self._database = database
        self._spaces = Spaces(database, {embedder.model: embedder}, primary=embedder.model)
        self._registry = registry

    async def write(self, count: int, *, when: datetime | None = None) -> None:
        """Store made-up statements, a hundred a session, so many a day."""
        principal = Principal(TENANT, UUID(int=2), frozenset({"read", "write"}))
        texts = corpus.sentences(count, seed=self.held + 1)
        for start in range(0, count, 100):
            some = texts[start : start + 100]
            first = self.held + start
            day = when or _FIRST_DAY + timedelta(days=first // PER_DAY, minutes=first % PER_DAY)
            items = [
                MemoryItem(
                    content=f"{text} ({first + place})",
                    name=corpus.PEOPLE[place % 2],
                    session_id=f"s{first}",
                    occurred_at=day + timedelta(seconds=place),
                )
                for place, text in enumerate(some)
            ]
            body = MemoriesCreate(user_id=OWNER, items=items)
            write = ingestion.read(principal, body, key=None, now=clock.now())
            await ingestion.remember(self._database, self._spaces, write, budget_s=60)
        self.held += count

    async def organise(self, tasks: Sequence[str] = ENRICHMENT_TASKS) -> dict[str, float]:
        """Run tasks until each is through; return milliseconds of processors by task."""
        context = TaskContext(
            database=self._database,
            tenant_id=TENANT,
            owner_id=await self.owner_id(),
            job_id=UUID(int=3),
        )
        spent = {}
        for name in tasks:
            before = processors.spent()
            while True:
                try:
                    await self._registry.tasks[name](context)
                except TaskPostponedError:
                    continue
                break
            spent[name] = sum(processors.since(before).values()) * 1e3
        return spent

    async def owner_id(self) -> int:
        """Return the number of the owner."""
        async with self._database.transaction(tenant_id=TENANT) as session:
            found = await session.execute(_OWNER_ID, {"name": OWNER})
            return int(found.scalar_one())

    async def renewal(self) -> float:
        """Return milliseconds of processors that it takes to renew the profile."""
        owner_id = await self.owner_id()
        async with self._database.transaction(tenant_id=TENANT, owner_id=owner_id) as session:
            await session.execute(_RENEW, {"owner_id": owner_id})
        return (await self.organise(["profiles.refresh"]))["profiles.refresh"]


async def measure(server: EmbeddedPostgres, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Grow a store; at each size return milliseconds per memory by task, and their sum."""
    if not sizes:
        return []
    url = new_database(server, "write_cost")
    database = Database(url, DatabaseSettings(pool_size=2), name="worker")
    embedder = Mixtures(*await _base())
    settings = Settings(database_url=SecretStr(url))
    async with database.transaction(tenant_id=TENANT) as session:
        await session.execute(_ADD_TENANT, {"tenant_id": TENANT})
    store = Store(database, embedder, build_registry(database, embedder, settings))
    found = []
    for size in sizes:
        await _grow(store, size, server.owner_url("write_cost"))
        found.append(await _cost(store, settings))
        print(found[-1], flush=True)
    await database.close()
    return found


async def _base() -> tuple[str, NDArray[np.float32]]:
    """Return the name of the encoder, and the vectors that are mixed. Shape [n, d]."""
    with running_sidecar() as (url, token):
        embedder = HttpEmbedder(EmbeddingSettings(url=url, key=token, timeout_s=300))
        vectors = await embedder.embed(corpus.sentences(2_000, seed=5))
        await embedder.aclose()
    return embedder.model, vectors


async def _grow(store: Store, size: int, owner_url: str) -> None:
    """Bring the store to a size, organised; its profile is renewed once, at the end."""
    while store.held < size:
        await store.write(min(2_000, size - store.held))
        _trust_bits(owner_url)
        await store.organise([name for name in ENRICHMENT_TASKS if name != "profiles.refresh"])
    await store.organise()
    await asyncio.sleep(2.1)  # the registry's spaces look at the model anew


def _trust_bits(owner_url: str) -> None:
    """Let neighbours be searched by bits, as the check of real vectors would; and vacuum."""
    engine = sa.create_engine(sqlalchemy_url(owner_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("UPDATE embedding_models SET uses_bits = true"))
        connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()


async def _cost(store: Store, settings: Settings) -> dict[str, Any]:
    size = store.held
    renewal_ms = fmean([await store.renewal() for _ in range(3)])
    each = []
    for _ in range(WRITES):
        await store.write(ONE_MORE, when=clock.now())
        each.append(await store.organise())
    # Means: processors' time is told in hundredths of a second.
    tasks = {
        name: round(fmean(one[name] for one in each) / ONE_MORE, 2) for name in ENRICHMENT_TASKS
    }
    between = max(1.0, settings.profiles.refresh_share * size)
    return {
        "memories": size,
        "all": round(fmean(sum(one.values()) for one in each) / ONE_MORE, 2),
        "tasks": tasks,
        "most": round(max(sum(one.values()) for one in each) / ONE_MORE, 2),
        "renewal_ms": round(renewal_ms),
        "renewal": round(renewal_ms / between, 2),
    }
