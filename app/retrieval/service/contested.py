"""What contradicts the hits: the side that holds takes the other's place, open ones come along."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.facts import service as facts
from app.facts.schemas import Contested
from app.retrieval.kernel import contested as kernel
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.contested import Open, Settled
from app.retrieval.repository import linked as rows
from app.retrieval.service.asking import Question
from app.retrieval.service.held import candidate_of
from app.tenants.schemas import LocalSettings, Scope

_OF_ARMS = frozenset({"fused", "lexical", "dense"})
"""Recipes that show what the arms say, whatever contradicts it."""
_SUPERSEDED_SHARE = 0.5
"""Of the score of what took its place, for what is shown only because it was asked for."""


async def settled(
    session: AsyncSession,
    scope: Scope,
    found: Sequence[Candidate],
    question: Question,
    local: LocalSettings,
    now: datetime,
) -> list[Candidate]:
    """Return the hits in the order that their conflicts leave, each with its marks.

    The side that holds, and the other side of an open conflict, come in from outside where they
    pass the same narrowing.
    """
    is_contested = any(one.is_contested for one in found)
    is_on = local.policies.mechanisms.conflicts and question.recipe not in _OF_ARMS
    if not (is_contested and is_on):
        return list(found[: question.limit])
    best = await _settled(session, scope, found, question, local, now)
    return [one for one in best if one.score >= question.min_score][: question.limit]


async def _settled(
    session: AsyncSession,
    scope: Scope,
    found: Sequence[Candidate],
    question: Question,
    local: LocalSettings,
    now: datetime,
) -> list[Candidate]:
    narrowing, limit = question.narrowing, question.limit
    ordinals = [one.ordinal for one in found]
    conflicts = await facts.contested(session, scope, ordinals, local.policies.conflicts, now=now)
    if not conflicts:
        return list(found)
    held = {one.ordinal: one for one in found}
    wanted = {_winner(one) for one in conflicts if one.winner and one.score >= facts.STRONG}
    near = set(ordinals[:limit])
    wanted |= {o for one in conflicts if not one.winner and near & set(_sides(one))
               for o in _sides(one)}  # fmt: skip
    further = sorted(wanted - held.keys())
    for memory in (
        await rows.passing(session, scope, further, narrowing, now=now) if further else ()
    ):
        held[memory.ordinal] = candidate_of(memory)
    # Of a conflict with what the question must not see, nothing is said.
    told = [one for one in conflicts if set(_sides(one)) <= held.keys()]
    ordered = kernel.settle(
        list(held.values()),
        [
            Settled(_loser(one), _winner(one), one.score >= facts.STRONG)
            for one in told
            if one.winner
        ],
        [Open(one.older, one.newer) for one in told if not one.winner],
        limit=limit,
    )
    return [_marked(one, told) for one in ordered if one.score > 0]


async def superseded(
    session: AsyncSession,
    scope: Scope,
    hits: Sequence[Candidate],
    question: Question,
    local: LocalSettings,
    now: datetime,
) -> list[Candidate]:
    """Return what the hits took the place of and is not among them, if it is asked for."""
    if not question.with_superseded:
        return []
    held = {one.ordinal: one for one in hits}
    conflicts = await facts.contested(
        session, scope, sorted(held), local.policies.conflicts, now=now
    )
    lost = {_loser(one): _winner(one) for one in conflicts if one.winner and _winner(one) in held}
    further = sorted(set(lost) - held.keys())
    if not further:
        return []
    passing = await rows.passing(session, scope, further, question.narrowing, now=now)
    made = [
        candidate_of(memory, score=_SUPERSEDED_SHARE * held[lost[memory.ordinal]].score)._replace(
            superseded_by=held[lost[memory.ordinal]].id
        )
        for memory in passing
    ]
    return sorted(made, key=lambda one: (-one.score, one.ordinal))


def _sides(one: Contested) -> tuple[int, int]:
    return one.older, one.newer


def _winner(one: Contested) -> int:
    return one.newer if one.winner == "newer" else one.older


def _loser(one: Contested) -> int:
    return one.older if one.winner == "newer" else one.newer


def _marked(candidate: Candidate, told: Iterable[Contested]) -> Candidate:
    """Return a candidate that names what took its place, and what it contradicts."""
    superseded_by: UUID | None = None
    conflicts_with: list[UUID] = []
    for one in told:
        if candidate.ordinal not in _sides(one):
            continue
        other = one.newer_id if candidate.ordinal == one.older else one.older_id
        if one.winner is None:
            conflicts_with.append(other)
        elif candidate.ordinal == _loser(one) and one.score >= facts.STRONG:
            superseded_by = other
    if superseded_by is None and not conflicts_with:
        return candidate
    return candidate._replace(superseded_by=superseded_by, conflicts_with=tuple(conflicts_with))
