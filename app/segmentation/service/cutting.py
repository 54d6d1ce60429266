"""The task ``segmentation.segment``: streams are cut as they grow, and anew where they change."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.service import AWAY_S
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.service import Batch, ModelTable, Spaces, Stream, Turn
from app.segmentation import repository as rows
from app.segmentation.kernel import boundaries
from app.segmentation.kernel.boundaries import Cut, Opening, Rules
from app.segmentation.kernel.means import means
from app.segmentation.kernel.representatives import representatives
from app.segmentation.schemas import Kept, Made
from app.tenants import service as tenants
from app.tenants.schemas import Scope

MECHANISM = "segmentation"
_AT_ONCE = 1_024
"""Turns that are cut within one transaction, besides those around them."""
_EVER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Segmenter:
    """What cutting needs."""

    spaces: Spaces
    rules: Rules

    async def table(self) -> ModelTable:
        """Return the tables of the vectors that turns are compared by.

        Raises:
            TaskPostponedError: no memory has a vector yet.
        """
        table = (await self.spaces.current()).table
        if table is None:
            msg = "No memory has a vector yet."
            raise TaskPostponedError(msg, retry_in_s=AWAY_S)
        return table


async def segment(context: TaskContext, segmenter: Segmenter) -> None:
    """Cut an owner's new turns into events, and those anew that a change of turns concerns."""

    async def work(batch: Batch) -> None:
        table = await segmenter.table()
        async with batch.writing() as (session, _):
            for stream, ordinals in _by_stream(batch.memories).items():
                span = _Span(min(ordinals), max(ordinals), until=batch.end.ordinal)
                await _Cutting(session, batch.scope, table, segmenter.rules, stream).cut(span)

    await memories.enrich(
        context, MECHANISM, work, is_on=lambda on: on.segments, outdated=_outdated
    )
    while not await context.is_cancelled() and await _cut_stale(context, segmenter):
        pass


async def forget(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Take memories that are being erased out of their segments, in their transaction."""
    await rows.forget(session, scope, ordinals)


async def _outdated(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Take archived memories out of their segments; the words of others are not in there."""
    hidden = [memory.ordinal for memory in changed if memory.archived_at is not None]
    if hidden:
        await rows.forget(session, scope, hidden)


def _by_stream(held: Sequence[Memory]) -> dict[Stream, list[int]]:
    """Return the ordinals of memories by their stream."""
    found: dict[Stream, list[int]] = defaultdict(list)
    for memory in held:
        found[Stream(memory.session_id, memory.agent_id)].append(memory.ordinal)
    return found


async def _cut_stale(context: TaskContext, segmenter: Segmenter) -> bool:
    """Cut a segment anew that has lost turns, or was not finished; say whether there was one."""
    scope = Scope(context.tenant_id, context.required_owner_id())
    table = (await segmenter.spaces.current()).table
    if table is None:
        return False
    async with context.database.transaction(
        tenant_id=scope.tenant_id, owner_id=scope.owner_id
    ) as session:
        found = await rows.first_stale(session, scope, table.model_id)
        if found is None or not await _is_on(session, scope):
            return False
        await memories.lock_owner(session, scope)
        stale = await rows.first_stale(session, scope, table.model_id)
        if stale is None:
            return True
        stream = Stream(stale.session_id, stale.agent_id)
        last = max(one.last_ordinal for one in await rows.since(session, scope, stream, 0))
        span = _Span(stale.first_ordinal, stale.last_ordinal, until=last)
        await _Cutting(session, scope, table, segmenter.rules, stream).cut(span)
    return True


async def _is_on(session: AsyncSession, scope: Scope) -> bool:
    return (await tenants.effective_settings(session, scope)).policies.mechanisms.segments


class _Span(NamedTuple):
    """What changed of a stream: the first turn and the last, and how far it was read by now."""

    first: int
    last: int
    until: int


class _Read(NamedTuple):
    """Turns of a stream around the place where cutting begins."""

    turns: list[Turn]
    vectors: NDArray[np.float32]
    opening: Opening | None
    is_whole: bool
    """No turn is left behind these."""

    @property
    def times(self) -> NDArray[np.float64]:
        """Seconds, of each turn. Shape [n]."""
        return np.array([turn.occurred_at.timestamp() for turn in self.turns])

    def ordinal(self, place: int | None) -> int | None:
        return None if place is None else self.turns[place].ordinal


@dataclass(frozen=True, slots=True)
class _Cutting:
    """One stream, within a transaction that holds the owner's lock."""

    session: AsyncSession
    scope: Scope
    table: ModelTable
    rules: Rules
    stream: Stream

    async def cut(self, span: _Span) -> None:
        """Cut anew what depends on the turns of a span, as far as one transaction goes."""
        start = await rows.first_that_needs(self.session, self.scope, self.stream, span.first)
        if start is None or start.reason == "start" or start.first_ordinal > span.first:
            start, since = None, 0
        else:
            since = start.first_ordinal
        read = await self._read(start, since, span.until)
        held = await rows.since(self.session, self.scope, self.stream, since)
        cuts = boundaries.cut(read.vectors, read.times, self.rules, first=read.opening)
        made = [self._made(one, read) for one in cuts]
        made, end = self._as_before(made, read, held, span)
        if end == _EVER and not read.is_whole:
            tail = replace(made[-1].kept, is_stale=True, last_ordinal=span.until)
            made[-1] = replace(made[-1], kept=tail)
            end = read.turns[-1].ordinal + 1
        old = [one for one in held if one.first_ordinal < end]
        await rows.replace(self.session, self.scope, old, made)

    async def _read(self, start: Kept | None, since: int, until: int) -> _Read:
        before: list[Turn] = []
        if start is not None:
            before = await memories.turns_before(
                self.session, self.scope, self.stream, since, limit=self.rules.context
            )
        behind = await memories.turns(
            self.session, self.scope, self.stream, since=since, until=until, limit=_AT_ONCE + 1
        )
        turns = [*before, *behind[:_AT_ONCE]]
        opening = None
        if start is not None:
            places = {turn.ordinal: place for place, turn in enumerate(turns)}
            noticed = places.get(start.noticed_ordinal, len(before))
            opening = Opening(len(before), noticed, start.reason, start.surprise)
        vectors = await self._vectors([turn.ordinal for turn in turns])
        return _Read(turns, vectors, opening, is_whole=len(behind) <= _AT_ONCE)

    async def _vectors(self, ordinals: Sequence[int]) -> NDArray[np.float32]:
        """Return vectors [n, d]; a turn without one yet is no surprise: its vector is 0."""
        own = await memories.own_vectors(self.session, self.scope, self.table, ordinals)
        found = np.zeros((len(ordinals), self.table.dimensions), np.float32)
        for place, ordinal in enumerate(ordinals):
            if ordinal in own:
                found[place] = own[ordinal]
        return found

    def _made(self, one: Cut, read: _Read) -> Made:
        vectors = read.vectors[one.opening.place : one.stop]
        return Made(self._kept(one, read), means(vectors))

    def _kept(self, one: Cut, read: _Read) -> Kept:
        low, high = one.opening.place, one.stop
        turns = read.turns[low:high]
        return Kept(
            first_ordinal=turns[0].ordinal,
            last_ordinal=turns[-1].ordinal,
            session_id=self.stream.session_id,
            agent_id=self.stream.agent_id,
            reason=one.opening.reason,
            noticed_ordinal=read.turns[one.opening.noticed].ordinal,
            surprise=one.opening.surprise,
            needs_ordinal=read.ordinal(one.needs),
            members=[turn.ordinal for turn in turns],
            representatives=[
                turns[place].ordinal for place in representatives(read.vectors[low:high])
            ],
            started_at=min(turn.occurred_at for turn in turns),
            ended_at=max(turn.occurred_at for turn in turns),
            model_id=self.table.model_id,
        )

    def _as_before(
        self, made: list[Made], read: _Read, held: Sequence[Kept], span: _Span
    ) -> tuple[list[Made], int]:
        """Return segments up to one that is as it was, and its ordinal: the rest is, too.

        So far behind the last change nothing that a boundary depends on can have changed.
        """
        places = {turn.ordinal: place for place, turn in enumerate(read.turns)}
        changed = max((p for o, p in places.items() if o <= span.last), default=-1)
        known = {
            (one.first_ordinal, one.noticed_ordinal)
            for one in held
            if one.model_id == self.table.model_id
            and not one.is_stale
            and one.needs_ordinal is not None
        }
        for number, one in enumerate(one.kept for one in made):
            is_far = places[one.first_ordinal] > changed + self.rules.context
            if is_far and (one.first_ordinal, one.noticed_ordinal) in known:
                return made[:number], one.first_ordinal
        return made, _EVER
