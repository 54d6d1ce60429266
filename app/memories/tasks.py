"""The room's part in the worker."""

from datetime import datetime, timedelta
from uuid import UUID

from app.jobs.protocol import TaskContext, TaskRegistry
from app.kit.database import Database
from app.kit.settings import HousekeepingSettings, RetrievalSettings
from app.memories.service import NO_DERIVATIONS, Derivations, background, covering
from app.memories.service.spaces import Spaces


def register(
    registry: TaskRegistry,
    spaces: Spaces,
    settings: HousekeepingSettings,
    derivations: Derivations = NO_DERIVATIONS,
) -> None:
    """Add the room's tasks and housekeeping."""

    async def embed(context: TaskContext) -> None:
        await background.embed_pending(context, spaces)

    async def embed_all(context: TaskContext) -> None:
        await background.embed_all(context, spaces)

    async def reembed(context: TaskContext) -> None:
        await background.reembed(context, spaces)

    async def check_bits(context: TaskContext) -> None:
        await background.check_bits(context, spaces)

    async def catch_up(context: TaskContext) -> None:
        await background.catch_up(context, derivations)

    registry.task("memories.embed", embed)
    registry.task("memories.embed_all", embed_all)
    registry.task("memories.reembed", reembed)
    registry.task("memories.check_bits", check_bits)
    registry.task("memories.reindex", background.reindex)
    registry.task("memories.catch_up", catch_up)
    _add_housekeeping(registry, spaces, settings, derivations)


def register_covering(registry: TaskRegistry, spaces: Spaces, settings: RetrievalSettings) -> None:
    """Add the tasks that spare recalls of large owners the look at every key."""

    async def extend_hnsw(context: TaskContext) -> None:
        await covering.extend_hnsw(context, spaces, settings)

    registry.task("memories.count_stems", covering.count_stems)
    registry.task("memories.extend_hnsw", extend_hnsw)


def _add_housekeeping(
    registry: TaskRegistry,
    spaces: Spaces,
    settings: HousekeepingSettings,
    derivations: Derivations,
) -> None:
    async def continue_reembedding(database: Database, _tenant_id: UUID, _now: datetime) -> None:
        await background.continue_reembedding(database, spaces)

    async def expire(database: Database, tenant_id: UUID, now: datetime) -> None:
        await background.archive_expired(database, tenant_id, derivations, now=now)

    async def prune_events(database: Database, tenant_id: UUID, now: datetime) -> None:
        before = now - timedelta(days=settings.events_days)
        await background.prune_events(database, tenant_id, before=before)

    registry.housekeeping("memories.expire", expire)
    registry.housekeeping("memories.prune_events", prune_events)
    registry.housekeeping("memories.continue_reembedding", continue_reembedding)
