"""Strengthen what was recalled: behind the answer, in batches, one update per owner."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

from app.kit.database import Database
from app.kit.errors import DatabaseUnavailableError
from app.kit.logging import get_logger
from app.memories import service as memories
from app.memories.errors import OwnerBusyError
from app.tenants import service as tenants
from app.tenants.schemas import Scope

EVERY_S = 1.0
BATCH = 500
"""Recalled memories that are not kept waiting for the next second."""
MOST = 50_000
"""Recalled memories that wait while the database is away; what comes on top is not counted."""

log = get_logger("forgetting")


class _Recall(NamedTuple):
    ordinal: int
    at: datetime


class Reinforcer:
    """Remembers which memories were recalled until it has strengthened them."""

    def __init__(self, database: Database, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._waiting: dict[Scope, list[_Recall]] = defaultdict(list)
        self._count = 0
        self._is_full = asyncio.Event()
        self._is_stopping = False

    def note(self, scope: Scope, ordinals: Iterable[int], at: datetime) -> None:
        """Count a recall of each memory, soon. Takes no time; writes nothing yet."""
        recalls = [_Recall(ordinal, at) for ordinal in ordinals]
        if not recalls or self._count + len(recalls) > MOST:
            return
        self._waiting[Scope(scope.tenant_id, scope.owner_id)] += recalls
        self._count += len(recalls)
        if self._count >= BATCH:
            self._is_full.set()

    async def flush(self) -> None:
        """Strengthen all that waits; what the database does not take waits on.

        An owner whose recalls fail in another way keeps no other owner's from being counted.
        """
        waiting, self._waiting, self._count = self._waiting, defaultdict(list), 0
        self._is_full.clear()
        while waiting:
            scope, recalls = waiting.popitem()
            try:
                await self._strengthen(scope, recalls)
            except DatabaseUnavailableError:
                self._put_back({**waiting, scope: recalls})
                return
            except Exception as error:
                log.warning(
                    "recalled memories were not strengthened",
                    owner_id=scope.owner_id,
                    recalls=len(recalls),
                    error=type(error).__name__,
                )

    def _put_back(self, waiting: Mapping[Scope, list[_Recall]]) -> None:
        for scope, recalls in waiting.items():
            self._waiting[scope] += recalls
            self._count += len(recalls)

    async def _strengthen(self, scope: Scope, recalls: list[_Recall]) -> None:
        async with self._database.transaction(
            tenant_id=scope.tenant_id, owner_id=scope.owner_id
        ) as session:
            try:
                await memories.lock_owner(session, scope)
            except OwnerBusyError:  # erased meanwhile
                return
            policy = (await tenants.effective_settings(session, scope)).policies.forgetting
            await memories.reinforce(session, scope, recalls, growth_days=policy.growth_days)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Flush now and then, and a last time at the end."""
        flusher = asyncio.create_task(self._flush_again_and_again())
        try:
            yield
        finally:
            self._is_stopping = True
            self._is_full.set()
            await flusher

    async def _flush_again_and_again(self) -> None:
        is_last = False
        while not is_last:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_full.wait(), self._every_s)
            is_last = self._is_stopping
            await self.flush()
