"""How a mechanism follows an owner's memories: batch by batch, fair to others, never twice.

A mechanism's task calls ``enrich`` with its name and what it does with a batch. The batch reads in
one transaction, computes outside of any, and writes in another that moves the mechanism's cursor:
cut off anywhere, it is done again or was done whole.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.kit import clock
from app.kit.database import Database
from app.kit.errors import DatabaseUnavailableError
from app.memories.models import Memory
from app.memories.repository import feed, owners, rows
from app.memories.repository.feed import Position
from app.tenants import service as tenants
from app.tenants.policies import Mechanisms
from app.tenants.schemas import LocalSettings, Scope

BATCH = 64
MOST = 512
"""Memories that a task takes before it stands in line again, so that other owners get a turn."""
_BUSY_S = 1.0
_PAUSE_FACTOR = 4.0
_LONGEST_PAUSE_S = 4.0


class OwnerGoneError(Exception):
    """The owner was erased while a task worked for it: nothing is left to do."""


_NOT_THE_BATCHES_FAULT = (OwnerGoneError, TaskPostponedError, DatabaseUnavailableError)


@dataclass(slots=True)
class Batch:
    """The next memories of an owner that a mechanism has not seen as they are now."""

    database: Database
    scope: Scope
    local: LocalSettings
    mechanism: str
    memories: Sequence[Memory]
    """Archived ones too: what was made of them may have to go."""
    end: Position
    is_last: bool
    """No more memories wait behind this batch."""
    written: bool = field(default=False)

    @property
    def live(self) -> list[Memory]:
        """Those that are not archived."""
        return [memory for memory in self.memories if memory.archived_at is None]

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession]:
        """Open a transaction that sees the owner."""
        async with _owner(self.database, self.scope) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[tuple[AsyncSession, frozenset[int]]]:
        """Open the transaction that stores the batch's results and moves the cursor.

        It holds the owner's lock. The second part are the ordinals of the memories that are still
        as they were read; what was made of others must not be stored. An edited one comes again.

        Raises:
            OwnerGoneError: the owner was erased meanwhile.
        """
        async with _owner(self.database, self.scope) as session:
            if not await owners.lock(session, self.scope):
                raise OwnerGoneError
            ordinals = [memory.ordinal for memory in self.memories]
            now_held = await rows.by_ordinals(session, self.scope, ordinals)
            read_at = {memory.ordinal: memory.updated_at for memory in self.memories}
            fresh = {m.ordinal for m in now_held if m.updated_at == read_at[m.ordinal]}
            yield session, frozenset(fresh)
            await feed.move(session, self.scope, self.mechanism, self.end, now=clock.now())
            self.written = True


Work = Callable[[Batch], Awaitable[None]]
"""What a mechanism does with a batch; it ends with ``Batch.writing``."""


async def enrich(
    context: TaskContext,
    mechanism: str,
    work: Work,
    *,
    is_on: Callable[[Mechanisms], bool],
    batch: int = BATCH,
) -> None:
    """Let a mechanism catch up with an owner's memories, unless it is switched off.

    A batch that fails is taken again memory by memory. One that fails alone goes to the end of
    the feed, so that it cannot keep the mechanism from the others, and fails the attempt.

    Raises:
        TaskPostponedError: more waits; other owners come first.
    """
    scope = Scope(context.tenant_id, context.required_owner_id())
    done = 0
    try:
        while not await context.is_cancelled():
            started = time.monotonic()
            found = await _next(context.database, scope, mechanism, batch)
            if found is None or not is_on(found.local.policies.mechanisms):
                return
            if not found.memories:
                await _skip(found)
                return
            if not await _worked(work, found):
                batch = 1
                continue
            done += len(found.memories)
            if found.is_last:
                return
            if done >= MOST:
                msg = f"{done} memories done; more wait behind other owners' turns"
                raise TaskPostponedError(msg, retry_in_s=0)
            await give_way(context.database, spent_s=time.monotonic() - started)
    except OwnerGoneError:
        return


async def _worked(work: Work, batch: Batch) -> bool:
    """Do a batch; false if it failed and is to be taken memory by memory."""
    try:
        await work(batch)
    except _NOT_THE_BATCHES_FAULT:
        raise
    except Exception:
        if len(batch.memories) > 1:
            return False
        await _set_aside(batch)
        raise
    if not batch.written:
        await _skip(batch)
    return True


async def give_way(database: Database, *, spent_s: float) -> None:
    """Pause after a piece of background work, while the api serves users."""
    async with database.transaction() as session:
        is_busy = await feed.quiet_seconds(session) < _BUSY_S
    if is_busy:
        await asyncio.sleep(min(_PAUSE_FACTOR * spent_s, _LONGEST_PAUSE_S))


def _owner(database: Database, scope: Scope) -> AbstractAsyncContextManager[AsyncSession]:
    return database.transaction(tenant_id=scope.tenant_id, owner_id=scope.owner_id)


async def _next(database: Database, scope: Scope, mechanism: str, limit: int) -> Batch | None:
    """Return the next batch, an empty one at the end of the feed; ``None`` if the owner is gone."""
    async with _owner(database, scope) as session:
        # The end is read first: what is committed later comes next time.
        until = await feed.end(session, scope)
        keys = await owners.key_count(session, scope)
        if keys is None:
            return None
        scope = replace(scope, keys=keys)
        local = await tenants.effective_settings(session, scope)
        after = await feed.position(session, scope, mechanism)
        fresh = await feed.new(
            session, scope, after=after.ordinal, until=until.ordinal, limit=limit
        )
        room = limit - len(fresh)
        changed = (
            await feed.changed(session, scope, after=after, until=until, limit=room) if room else []
        )
    if not room:
        end = Position(fresh[-1].ordinal, after.change_no)
    elif len(changed) == room:
        end = Position(until.ordinal, changed[-1][0])
    else:
        end = until
    held = [*fresh, *(memory for _, memory in changed)]
    return Batch(database, scope, local, mechanism, held, end, is_last=len(held) < limit)


async def _set_aside(batch: Batch) -> None:
    """Move a memory that fails alone to the end of the feed."""
    async with _owner(batch.database, batch.scope) as session:
        if await owners.lock(session, batch.scope):
            await feed.move(session, batch.scope, batch.mechanism, batch.end, now=clock.now())
            await feed.note_changes(session, batch.scope, [m.ordinal for m in batch.memories])


async def _skip(batch: Batch) -> None:
    """Move the cursor past what needed nothing."""
    try:
        async with batch.writing():
            pass
    except OwnerGoneError:
        return
