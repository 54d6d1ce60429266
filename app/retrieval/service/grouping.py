"""Hits by round or by session, with the turns that belong to each."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.memories import service as memories
from app.memories.models import Memory
from app.retrieval.kernel import grouping as kernel
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.grouping import BEST_TURNS, Granularity, Group
from app.retrieval.repository import linked as rows
from app.retrieval.repository.filters import Narrowing
from app.tenants.schemas import Scope


async def grouped(
    session: AsyncSession,
    scope: Scope,
    hits: Sequence[Candidate],
    narrowing: Narrowing,
    *,
    granularity: Granularity,
    limit: int,
    now: datetime,
) -> tuple[list[Candidate], dict[int, list[Memory]]]:
    """Return the best turn of each round or session, and by its ordinal that one's turns.

    What was not found by the question itself, as the answer of a round, passes the same narrowing.
    """
    held = {one.ordinal: one for one in await _rows(session, scope, hits)}
    if granularity == "session":
        groups = kernel.by_session(hits)[:limit]
        turns = {group.best.ordinal: _found(group, held) for group in groups}
        return [group.best for group in groups], turns
    questions = await _questions(session, scope, held.values(), narrowing, now)
    groups = kernel.by_round(hits, {answer: one.ordinal for answer, one in questions.items()})
    groups = groups[:limit]
    known = held | {one.ordinal: one for one in questions.values()}
    asked = {
        group.best.ordinal: questions.get(group.best.ordinal, known[group.best.ordinal])
        for group in groups
    }
    answers = await _answers(session, scope, asked.values(), narrowing, now)
    turns = {
        best: [one, *(answers.get(one.ordinal, ()) if one.role == "user" else ())]
        for best, one in asked.items()
    }
    return [group.best for group in groups], turns


async def _rows(session: AsyncSession, scope: Scope, hits: Sequence[Candidate]) -> Sequence[Memory]:
    return await memories.by_ordinals(session, scope, [one.ordinal for one in hits])


def _found(group: Group, held: Mapping[int, Memory]) -> list[Memory]:
    best = [held[one.ordinal] for one in group.found[:BEST_TURNS]]
    return sorted(best, key=lambda one: (one.occurred_at, one.ordinal))


async def _questions(
    session: AsyncSession,
    scope: Scope,
    held: Iterable[Memory],
    narrowing: Narrowing,
    now: datetime,
) -> dict[int, Memory]:
    """Return the user's turns that assistants' turns answer, by the answers' ordinals."""
    before = {
        one.ordinal: one.context_ordinal
        for one in held
        if one.role == "assistant" and one.context_ordinal is not None
    }
    wanted = sorted(set(before.values()))
    found = await rows.passing(session, scope, wanted, narrowing, now=now) if wanted else ()
    users = {one.ordinal: one for one in found if one.role == "user"}
    return {answer: users[asked] for answer, asked in before.items() if asked in users}


async def _answers(
    session: AsyncSession,
    scope: Scope,
    asked: Iterable[Memory],
    narrowing: Narrowing,
    now: datetime,
) -> dict[int, list[Memory]]:
    """Return the assistants' turns right behind users' turns, by the users' ordinals."""
    users = [one for one in asked if one.role == "user" and one.session_id is not None]
    following = await memories.following(session, scope, users) if users else ()
    ordinals = [one.ordinal for one in following if one.role == "assistant"]
    if not ordinals:
        return {}
    passing = await rows.passing(session, scope, ordinals, narrowing, now=now)
    found: dict[int, list[Memory]] = {}
    for one in sorted(passing, key=lambda one: one.ordinal):
        found.setdefault(one.context_ordinal or 0, []).append(one)
    return found
