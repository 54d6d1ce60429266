"""Facts as they are asked for: lists, and timelines of one relation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.facts.errors import TimelineTooLongError
from app.facts.kernel import coverage
from app.facts.kernel.coverage import Sighting, Step
from app.facts.models import FactObservation
from app.facts.repository import facts as fact_rows
from app.facts.repository import observations as rows
from app.facts.schemas import (
    MOST_STEPS,
    CandidateRead,
    Found,
    Listing,
    StepRead,
    Timeline,
    TimelineQuery,
)
from app.kit.statements import head_key, relation_key
from app.memories import service as memories
from app.tenants.schemas import Scope

_MOST_READ = 2_000
"""Observations of one relation that a timeline is made of, at most."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Edges of steps, some of which lie beyond those asked for."""

    edges: list[datetime]
    first: int
    last: int
    """Exclusive."""


async def page(session: AsyncSession, scope: Scope, asked: Listing) -> list[Found]:
    """Return an owner's facts, those learned last first."""
    return await fact_rows.page(session, scope, asked)


async def timeline(
    session: AsyncSession, scope: Scope, asked: TimelineQuery, *, agent_id: str | None,
    now: datetime,
) -> Timeline:  # fmt: skip
    """Return what is known of a subject's relation, step by step.

    Raises:
        TimelineTooLongError: it has too many steps.
    """
    grid = _grid(asked)
    said = await rows.of_relation(
        session,
        scope,
        head_key(asked.subject),
        relation_key(asked.relation),
        agent_id=agent_id,
        known_at=asked.known_at or now,
        now=now,
        limit=_MOST_READ,
    )
    steps = coverage.timeline(
        [_sighting(one) for one in said if not one.is_end],
        grid.edges,
        first=grid.first,
        last=grid.last,
        span=asked.span,
        is_functional=any(one.is_functional for one in said),
    )
    held = await memories.by_ordinals(session, scope, [one.memory_ordinal for one in said])
    ids = {memory.ordinal: memory.id for memory in held}
    return Timeline(
        subject=said[0].subject if said else asked.subject,
        relation=said[0].relation if said else asked.relation,
        steps=[_shown(step, ids) for step in steps],
    )


def empty_timeline(asked: TimelineQuery) -> Timeline:
    """Return the timeline of somebody of whom nothing is known."""
    grid = _grid(asked)
    steps = coverage.timeline([], grid.edges, first=grid.first, last=grid.last, span=0)
    return Timeline(
        subject=asked.subject,
        relation=asked.relation,
        steps=[_shown(step, {}) for step in steps],
    )


def _sighting(one: FactObservation) -> Sighting:
    """Return when a memory saw its object: in the time it states, or from then until it said so."""
    until = one.valid_to or max(one.valid_from, one.observed_at)
    return Sighting(one.object, one.valid_from, until, one.memory_ordinal)


def _shown(step: Step, ids: dict[int, UUID]) -> StepRead:
    return StepRead(
        start=step.start,
        end=step.end,
        state=step.state,
        objects=list(step.objects),
        candidates=[
            CandidateRead(
                object=one.object,
                steps_away=one.steps_away,
                seen_at=one.seen_at,
                source_ids=[ids[source] for source in one.sources if source in ids],
            )
            for one in step.candidates
        ],
    )


def _grid(asked: TimelineQuery) -> _Grid:
    first = _start(asked.since.astimezone(UTC), asked.step)
    before: list[datetime] = []
    for _ in range(asked.span):
        before.insert(0, _step_back(before[0] if before else first, asked.step))
    edges = [*before]
    for edge in _edges(first, asked.step):
        edges.append(edge)
        if edge >= asked.until:
            break
        if len(edges) > MOST_STEPS + asked.span:
            msg = f"A timeline has {MOST_STEPS} steps at most; choose a longer step."
            raise TimelineTooLongError(msg)
    last = len(edges) - 1
    behind = _edges(edges[-1], asked.step)
    next(behind)
    edges += [next(behind) for _ in range(asked.span)]
    return _Grid(edges, asked.span, last)


def _start(moment: datetime, step: str) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if step == "day":
        return day
    return day.replace(day=1) if step == "month" else day.replace(day=1, month=1)


def _edges(first: datetime, step: str) -> Iterator[datetime]:
    edge = first
    while True:
        yield edge
        edge = _next(edge, step)


def _next(edge: datetime, step: str) -> datetime:
    if step == "day":
        return edge + timedelta(days=1)
    if step == "month" and edge.month < 12:
        return edge.replace(month=edge.month + 1)
    return edge.replace(year=edge.year + 1, month=1)


def _step_back(edge: datetime, step: str) -> datetime:
    return _start(edge - timedelta(days=1), step)
