"""Recalls are noted behind their answers, in batches, so that hits can be voted on for a while."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.feedback import kernel
from app.feedback import repository as rows
from app.feedback.schemas import Recall
from app.kit.database import Database
from app.kit.errors import DatabaseUnavailableError
from app.kit.ids import first_id_of
from app.tenants.schemas import Scope

EVERY_S = 1.0
MOST = 5_000
"""Recalls that wait while the database is away; what comes on top cannot be voted on."""


class RecallLog:
    """Remembers recalls until they are stored."""

    def __init__(self, database: Database, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._waiting: dict[UUID, Recall] = {}
        self._writing = asyncio.Lock()
        self._stop = asyncio.Event()

    def note(
        self,
        scope: Scope,
        recall_id: UUID,
        hits: Sequence[tuple[int, float]],
        *,
        agent_id: str | None,
        model_id: int | None,
        query: Vectors | None,
    ) -> None:
        """Keep a recall's hits, given as ordinal and score, soon. Takes no time; writes nothing."""
        if not hits or len(self._waiting) >= MOST:
            return
        self._waiting[recall_id] = Recall(
            scope.tenant_id,
            recall_id,
            scope.owner_id,
            agent_id,
            model_id,
            query,
            [ordinal for ordinal, _ in hits],
            [kernel.predicted(score) for _, score in hits],
        )

    async def flush(self) -> None:
        """Store all that waits; what the database does not take waits on."""
        async with self._writing:
            by_tenant: dict[UUID, list[Recall]] = defaultdict(list)
            for one in self._waiting.values():
                by_tenant[one.tenant_id].append(one)
            for tenant_id, recalls in by_tenant.items():
                try:
                    async with self._database.transaction(tenant_id=tenant_id) as session:
                        await rows.note(session, tenant_id, recalls)
                except DatabaseUnavailableError:
                    return
                for one in recalls:
                    self._waiting.pop(one.recall_id, None)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Flush now and then, and a last time at the end."""
        flusher = asyncio.create_task(self._flush_again_and_again())
        try:
            yield
        finally:
            self._stop.set()
            await flusher

    async def _flush_again_and_again(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._every_s)
            await self.flush()


async def forget_recalls(session: AsyncSession, tenant_id: UUID, *, before: datetime) -> None:
    """Forget recalls that were answered before a time: they can be voted on no more."""
    await rows.prune(session, tenant_id, before=first_id_of(before))
