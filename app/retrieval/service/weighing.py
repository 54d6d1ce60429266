"""What a candidate's score becomes by an owner's policies: votes on it, and how it has faded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncSession

from app.feedback import service as feedback
from app.forgetting.service import Law
from app.retrieval.kernel import scoring
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.scoring import Weight
from app.retrieval.service.asking import Asked, Question
from app.tenants.schemas import LocalSettings, Scope

_RESERVE = 10
"""Candidates beyond the limit, so that what has faded can give way to what has not."""
NO_VOTES: Mapping[int, float] = MappingProxyType({})


def heeds_votes(scope: Scope, question: Question) -> bool:
    """Tell whether votes may change a recall: of an owner that has voted, and wants it."""
    if not scope.votes or not question.with_feedback or scope.local is None:
        return False
    return scope.local.policies.mechanisms.feedback


async def learned(
    session: AsyncSession,
    scope: Scope,
    question: Question,
    asked: Asked,
    found: Sequence[Candidate],
    *,
    now: datetime,
) -> Mapping[int, float]:
    """Return what votes on similar questions add to the scores of candidates, by ordinal."""
    if not heeds_votes(scope, question) or asked.vector is None or asked.table is None:
        return NO_VOTES
    ordinals = [one.ordinal for one in found]
    return await feedback.compensations(
        session, scope, asked.table, asked.vector, ordinals, now=now
    )


def wanted(question: Question, local: LocalSettings) -> int:
    """Return how many candidates are scored, so that what has faded can give way."""
    return question.limit + (_RESERVE if law_of(local, question) is not None else 0)


def law_of(local: LocalSettings, question: Question) -> Law | None:
    """Return by what law candidates lose in rank, if any does."""
    policy = local.policies.forgetting
    if not question.with_retention or policy.law == "none" or not policy.ranking:
        return None
    return Law(policy)


def best(
    found: Sequence[Candidate],
    law: Law | None,
    question: Question,
    now: datetime,
    votes: Mapping[int, float] = NO_VOTES,
) -> list[Candidate]:
    """Return candidates by score after votes and what has faded, those that score too little out.

    What only an arm without weight has found scores nothing.
    """
    if votes:
        found = scoring.compensated(found, votes)
    weighed = scoring.weigh(found, _weights(law, found, now))
    return [one for one in weighed if one.score > 0 and one.score >= question.min_score]


def _weights(law: Law | None, found: Sequence[Candidate], now: datetime) -> list[Weight] | None:
    if law is None:
        return None
    retained = [law.retention(one, now) for one in found]
    return [Weight(retention, law.factor(retention)) for retention in retained]
