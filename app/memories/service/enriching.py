"""How a mechanism follows an owner's memories: batch by batch, fair to others, never twice.

A mechanism's task calls ``enrich`` with its name and what it does with a batch. The batch reads in
one transaction, computes outside of any, and writes in another that moves the mechanism's cursor:
cut off anywhere, it is done again or was done whole.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.errors import TaskError, TaskPostponedError
from app.jobs.protocol import TaskContext
from app.jobs.service import LONGEST_WAIT_S, MOST_IN_A_ROW
from app.kit import clock
from app.kit.database import Database
from app.kit.errors import DatabaseUnavailableError, ServiceUnavailableError
from app.memories.models import Memory
from app.memories.repository import feed, owners, rows
from app.memories.repository.feed import Position
from app.memories.service.withdrawing import Outdated, withdraw
from app.tenants import service as tenants
from app.tenants.policies import Mechanisms
from app.tenants.schemas import LocalSettings, Scope

BATCH = 64
MOST = 512
"""Memories that a task takes before it stands in line again, so that other owners get a turn."""
_BUSY_S = 1.0
_PAUSE_FACTOR = 4.0
_LONGEST_PAUSE_S = 4.0
_PATIENCE = 0.25
_LONGEST_WAIT_S = 600.0


class OwnerGoneError(Exception):
    """The owner was erased while a task worked for it: nothing is left to do."""


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
    doubted: Sequence[int] = ()
    """Ordinals right before this batch: they go to the end of the feed when it is stored."""
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
            await feed.note_changes(session, self.scope, self.doubted)
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
    outdated: Outdated | None = None,
) -> None:
    """Let a mechanism catch up with an owner's memories, unless it is switched off.

    One that is off still takes back, by ``outdated``, what it made of texts that have changed.

    A batch that fails is taken again memory by memory. One that fails alone goes to the end of
    the feed, so that it cannot keep the mechanism from the others, and fails the attempt.

    Raises:
        TaskPostponedError: more waits and other owners come first, or what the mechanism needs is
            away. It may be away for one memory alone, such as a model that runs out of time on a
            long text: then the next memory shows that it is there, and the first one has failed.
    """
    scope = Scope(context.tenant_id, context.required_owner_id())
    turn = _Turn(context, scope, mechanism, work, batch)
    with suppress(OwnerGoneError):
        while not await context.is_cancelled():
            started = time.monotonic()
            found = await turn.next()
            if found is None:
                return
            if not is_on(found.local.policies.mechanisms):
                await withdraw(context.database, scope, mechanism, outdated)
                return
            if turn.is_at_the_end(found):
                await turn.end(found)
                return
            if not await turn.worked(found):
                continue
            if found.is_last and turn.error is None:
                return
            if turn.done >= MOST:
                msg = f"{turn.done} memories done; more wait behind other owners' turns"
                raise TaskPostponedError(msg, retry_in_s=0)
            await give_way(context.database, spent_s=time.monotonic() - started)


class _Doubt(NamedTuple):
    """A memory that what the mechanism needs was away for, perhaps for it alone."""

    batch: Batch
    postponed: TaskPostponedError

    def failure(self) -> TaskError:
        """Return it as an error that costs an attempt."""
        error = TaskError(str(self.postponed))
        error.__cause__ = self.postponed
        return error

    def patience(self) -> TaskPostponedError:
        """Return it as a wait that grows with the memory's age."""
        age_s = (clock.now() - self.batch.memories[0].updated_at).total_seconds()
        wait_s = max(self.postponed.retry_in_s, min(_PATIENCE * age_s, _LONGEST_WAIT_S))
        return TaskPostponedError(str(self.postponed), retry_in_s=wait_s)


@dataclass(slots=True)
class _Turn:
    """One turn of a mechanism at an owner's memories, and what failed in it."""

    context: TaskContext
    scope: Scope
    mechanism: str
    work: Work
    batch: int
    done: int = 0
    error: Exception | None = None
    """The first failure."""
    _failed: set[int] = field(default_factory=set)
    """Ordinals that were set aside."""
    _in_a_row: int = 0
    _doubt: _Doubt | None = None

    async def next(self) -> Batch | None:
        """Return the next batch, behind one that is doubted."""
        behind = self._doubt.batch if self._doubt else None
        database = self.context.database
        return await _next(database, self.scope, self.mechanism, self.batch, behind=behind)

    def is_at_the_end(self, found: Batch) -> bool:
        """Say whether nothing is left but what this turn set aside."""
        return all(memory.ordinal in self._failed for memory in found.memories)

    async def end(self, found: Batch) -> None:
        """End the turn; fail the attempt if a memory failed."""
        if self._doubt is not None:
            is_over = self.context.attempt > 1 or self.context.waited_s >= LONGEST_WAIT_S
            if self.error is None and not is_over:
                raise self._doubt.patience()
            await self._set_aside(self._doubt.batch, self._doubt.failure())
        elif not found.memories:
            await _skip(found)
        if self.error is not None:
            raise self.error

    async def worked(self, batch: Batch) -> bool:
        """Do a batch; false if it failed and was set aside, or is to be taken in pieces."""
        try:
            await self.work(batch)
            if not batch.written:
                await _skip(batch)
        except (OwnerGoneError, DatabaseUnavailableError):
            raise
        except TaskPostponedError as error:
            if not isinstance(error.__cause__, ServiceUnavailableError):
                raise
            self._doubted(batch, error)
        except Exception as error:
            await self._failing(batch, error)
        else:
            self.done += len(batch.memories)
            self._in_a_row = 0
            self._settle()
            return True
        self.batch = 1
        return False

    def _doubted(self, batch: Batch, error: TaskPostponedError) -> None:
        if self._doubt is not None:
            raise self._doubt.postponed from error  # away for both: it is away
        if len(batch.memories) == 1:
            self._doubt = _Doubt(batch, error)

    async def _failing(self, batch: Batch, error: Exception) -> None:
        if len(batch.memories) > 1:
            return
        await self._set_aside(batch, error)
        self._settle()
        if self._in_a_row >= MOST_IN_A_ROW:
            raise error

    def _settle(self) -> None:
        """Count a doubted memory as failed: what it needs was there for the one behind it."""
        if self._doubt is not None:
            self._note(self._doubt.batch, self._doubt.failure())
            self._doubt = None

    async def _set_aside(self, batch: Batch, error: Exception) -> None:
        await _set_aside(batch)
        self._note(batch, error)

    def _note(self, batch: Batch, error: Exception) -> None:
        self._failed |= {memory.ordinal for memory in batch.memories}
        self.error = self.error or error
        self._in_a_row += 1


async def give_way(database: Database, *, spent_s: float) -> None:
    """Pause after a piece of background work, while the api serves users."""
    async with database.transaction() as session:
        is_busy = await feed.quiet_seconds(session) < _BUSY_S
    if is_busy:
        await asyncio.sleep(min(_PAUSE_FACTOR * spent_s, _LONGEST_PAUSE_S))


def _owner(database: Database, scope: Scope) -> AbstractAsyncContextManager[AsyncSession]:
    return database.transaction(tenant_id=scope.tenant_id, owner_id=scope.owner_id)


async def _next(
    database: Database, scope: Scope, mechanism: str, limit: int, *, behind: Batch | None
) -> Batch | None:
    """Return the next batch, an empty one at the end of the feed; ``None`` if the owner is gone."""
    async with _owner(database, scope) as session:
        # The end is read first: what is committed later comes next time.
        until = await feed.end(session, scope)
        keys = await owners.key_count(session, scope)
        if keys is None:
            return None
        scope = replace(scope, keys=keys)
        local = await tenants.effective_settings(session, scope)
        after = behind.end if behind else await feed.position(session, scope, mechanism)
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
    doubted = [memory.ordinal for memory in behind.memories] if behind else []
    return Batch(
        database, scope, local, mechanism, held, end, is_last=len(held) < limit, doubted=doubted
    )


async def _set_aside(batch: Batch) -> None:
    """Move a memory that fails alone to the end of the feed, and one that is doubted."""
    async with _owner(batch.database, batch.scope) as session:
        if await owners.lock(session, batch.scope):
            await feed.move(session, batch.scope, batch.mechanism, batch.end, now=clock.now())
            aside = [*batch.doubted, *(memory.ordinal for memory in batch.memories)]
            await feed.note_changes(session, batch.scope, aside)


async def _skip(batch: Batch) -> None:
    """Move the cursor past what needed nothing."""
    try:
        async with batch.writing():
            pass
    except OwnerGoneError:
        return
