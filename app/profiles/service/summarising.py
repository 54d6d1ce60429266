"""Summaries and portraits of days: each is made when its day is over where the owner lives."""

import asyncio
import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.jobs.service import Asides
from app.kit import clock
from app.memories import service as memories
from app.memories.kernel import in_zone
from app.memories.models import Memory
from app.memories.service import Batch, OwnerGoneError
from app.profiles.kernel import extracts
from app.profiles.kernel.documents import Line, Portrait, sources_of_portrait
from app.profiles.kernel.extracts import Sentence
from app.profiles.models import DaySummary
from app.profiles.repository import days, states
from app.profiles.schemas import LINES, PORTRAIT
from app.profiles.service import asking, erasing, sentences
from app.profiles.service.scopes import Subject, Workshop, subject
from app.tenants.policies import Mechanisms
from app.tenants.schemas import LocalSettings

EXTRACT = "deterministic:extract"
MOST_SOURCES = 2_000
"""Memories of one day that its summary is made of; of longer days the first so many."""
_MOST_LINES = 5
_MEMORIES_PER_LINE = 4
_MOST_KEYWORDS = 8
_MOST_NAMES = 6
_MOST_DAYS = 64
_BATCH = 256
_TRIED_AGAIN = timedelta(hours=1)
"""Housekeeping leaves a day that failed alone for so long."""
_FORM = b"1"
"""Part of the digest: raise it when summaries are to be made in another way."""


async def summarise(context: TaskContext, shop: Workshop) -> None:
    """Note which days changed, and make those anew that are over.

    A day that fails keeps no later one waiting, and fails the attempt.
    """

    def is_on(mechanisms: Mechanisms) -> bool:
        return mechanisms.summaries

    await memories.enrich(
        context, "summaries", _note, is_on=is_on, batch=_BATCH, outdated=erasing.outdated_days
    )
    asides = Asides[date]()
    for _ in range(_MOST_DAYS):
        if await context.is_cancelled():
            return
        if not await _close_next(context, shop, asides):
            asides.close(context)
            return
    msg = "More days wait behind other owners' turns."
    raise TaskPostponedError(msg, retry_in_s=0)


async def _note(batch: Batch) -> None:
    zone = ZoneInfo(batch.local.time_zone)
    touched = sorted({in_zone(one.occurred_at, zone).date() for one in batch.memories})
    changed = [one.ordinal for one in batch.memories if one.updated_at != one.created_at]
    async with batch.writing() as (session, _):
        state = await states.get_or_add(session, batch.scope, now=clock.now())
        await days.touch(session, batch.scope, touched, time_zone=zone.key, now=clock.now())
        await days.touch_by_sources(session, batch.scope, changed)
        earliest = await days.stale(session, batch.scope)
        state.next_close_at = _end(earliest[0].day, zone) if earliest else None


def _end(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day is over; at the ends of the calendar, about then."""
    try:
        return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC), _end(day, zone)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC), _end(day, zone)


class _OpenDay(NamedTuple):
    """A day that is over, and what was said on it."""

    day: date
    held: Sequence[Memory]
    sentences: list[Sentence]
    frequency: dict[str, int]
    digest: bytes
    is_known: bool
    """Its summary was made of just these memories."""
    is_recent: bool
    """It was the last day."""


async def _close_next(context: TaskContext, shop: Workshop, asides: Asides[date]) -> bool:
    """Make the earliest day that waits and has not failed; tell whether there was one."""
    found = await subject(context, shop)
    if found is None:
        return False
    whose, state = found
    if not whose.local.policies.mechanisms.summaries:
        if state.next_close_at is not None and state.next_close_at <= clock.now():
            # Lest housekeeping asks all the time.
            await _plan(whose, clock.now() + timedelta(days=1))
        return False
    async with whose.reading() as session:
        opened = await _open(session, whose, asides)
        following = await _next_end(session, whose, asides) if opened is None else None
    if opened is None:
        if state.next_close_at != following:
            await _plan(whose, following)
        return False
    with asides.trying(opened.day):
        if opened.is_known or not opened.held:
            await _close_unchanged(whose, opened, asides)
        else:
            await _close(whose, opened, asides)
    return True


async def _plan(whose: Subject, at: datetime | None) -> None:
    """Note when housekeeping has to look at this owner again."""
    try:
        async with whose.writing() as (_, state):
            state.next_close_at = at
    except OwnerGoneError:
        return


async def _next_end(session: AsyncSession, whose: Subject, asides: Asides[date]) -> datetime | None:
    """Return when the earliest day that waits is over; one that failed is tried again later."""
    waiting = await days.stale(session, whose.scope, but=asides.pieces)
    ends = [_end(one.day, ZoneInfo(whose.local.time_zone)) for one in waiting]
    ends += [clock.now() + _TRIED_AGAIN] if asides.pieces else []
    return min(ends, default=None)


async def _open(session: AsyncSession, whose: Subject, asides: Asides[date]) -> _OpenDay | None:
    zone = ZoneInfo(whose.local.time_zone)
    await _recut(session, whose)
    today = in_zone(clock.now(), zone).date()
    waiting = await days.stale(session, whose.scope, before=today, but=asides.pieces)
    if not waiting:
        return None
    day = waiting[0]
    held = await memories.in_period(session, whose.scope, *_span(day.day, zone), limit=MOST_SOURCES)
    digest = _digest(held, whose)
    is_recent = day.day >= today - timedelta(days=1)
    if not held or digest == day.digest:
        return _OpenDay(day.day, held, [], {}, digest, is_known=bool(held), is_recent=is_recent)
    read = await sentences.read(session, whose.scope, whose.local, whose.kind, held)
    stems = {stem for sentence in read for stem in sentence.stems}
    frequency = await memories.document_frequencies(session, whose.scope, sorted(stems))
    return _OpenDay(day.day, held, read, frequency, digest, is_known=False, is_recent=is_recent)


async def _recut(session: AsyncSession, whose: Subject) -> None:
    """Start over when the owner moved to another time zone: every day has other bounds now."""
    zone = whose.local.time_zone
    if await days.has_other_zone(session, whose.scope, zone):
        await memories.lock_owner(session, whose.scope)
        await days.drop_all(session, whose.scope)
        held = await memories.local_days(session, whose.scope, zone)
        await days.touch(session, whose.scope, held, time_zone=zone, now=clock.now())


def _digest(held: Sequence[Memory], whose: Subject) -> bytes:
    digest = hashlib.sha256(_FORM + (whose.shop.llm.model if whose.shop.llm else "").encode())
    digest.update(whose.local.language.encode())
    for memory in held:
        digest.update(f"{memory.ordinal} {memory.updated_at.isoformat()}\n".encode())
    return digest.digest()


async def _close_unchanged(whose: Subject, opened: _OpenDay, asides: Asides[date]) -> None:
    try:
        async with whose.writing() as (session, state):
            day = await days.get(session, whose.scope, opened.day)
            if day is not None and opened.held:
                day.is_stale = False
            elif day is not None:
                await session.delete(day)
            await session.flush()
            state.next_close_at = await _next_end(session, whose, asides)
    except OwnerGoneError:
        return


async def _close(whose: Subject, opened: _OpenDay, asides: Asides[date]) -> None:
    lines, portrait = await asyncio.to_thread(_condensed, opened, whose)
    generated_by = EXTRACT
    if whose.shop.llm is not None:
        written = await asking.day(whose, whose.shop.llm, opened.day, opened.held)
        if written.lines:
            lines, generated_by = written.lines, written.generated_by
        portrait = replace(
            portrait,
            traits=written.traits,
            mood=written.mood,
            strategy=written.strategy,
            generated_by=written.generated_by if written.traits else portrait.generated_by,
        )
    try:
        async with whose.writing() as (session, state):
            day = await days.get(session, whose.scope, opened.day)
            if day is not None:
                _store(day, opened, lines, portrait, generated_by)
            state.changes += 1
            # A day that has just ended belongs into the profile; one of an import can wait.
            state.is_forced = state.is_forced or opened.is_recent
            await session.flush()
            state.next_close_at = await _next_end(session, whose, asides)
    except OwnerGoneError:
        return


def _condensed(opened: _OpenDay, whose: Subject) -> tuple[list[Line], Portrait]:
    """Return the extract and the counts of a day."""
    count = min(_MOST_LINES, math.ceil(len(opened.held) / _MEMORIES_PER_LINE))
    chosen = [opened.sentences[i] for i in extracts.central(opened.sentences, count)]
    speakers = {memory.ordinal: memory.name for memory in opened.held}
    lines = [
        Line(memories.spoken(one.text, speakers[one.source]), (one.source,), opened.day)
        for one in chosen
    ]
    own = [one for one in opened.sentences if one.weight == 1]
    names = (
        extracts.names(own, most=_MOST_NAMES) if sentences.writes_names_apart(whose.local) else []
    )
    portrait = Portrait(
        keywords=tuple(
            extracts.keywords(
                own, opened.frequency, whose.scope.keys or len(opened.held), most=_MOST_KEYWORDS
            )
        ),
        names=tuple(names),
        hours=_hours(opened.held, whose.local),
        days=1,
    )
    return lines, portrait


def _hours(held: Sequence[Memory], local: LocalSettings) -> tuple[int, ...]:
    zone, counts = ZoneInfo(local.time_zone), [0] * 24
    for memory in held:
        counts[in_zone(memory.occurred_at, zone).hour] += 1
    return tuple(counts)


def _store(
    day: DaySummary,
    opened: _OpenDay,
    lines: Sequence[Line],
    portrait: Portrait,
    generated_by: str,
) -> None:
    day.is_stale = False
    day.digest = opened.digest
    day.lines = LINES.dump_python(list(lines), mode="json")
    day.portrait = PORTRAIT.dump_python(portrait, mode="json")
    cited = {source for line in lines for source in line.sources}
    every = {memory.ordinal for memory in opened.held}
    day.source_ordinals = sorted(every | cited | sources_of_portrait(portrait))
    day.generated_by = generated_by
    day.updated_at = clock.now()
