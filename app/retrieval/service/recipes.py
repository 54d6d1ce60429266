"""What the recipes do that are more than one search: before it, and with its hits."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.forgetting.service import Law
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.service import contiguous, hierarchical
from app.retrieval.service.asking import Asked, Question
from app.retrieval.service.linked import linked_to
from app.retrieval.service.weighing import best
from app.tenants.schemas import Scope


async def within_segments(
    session: AsyncSession, scope: Scope, question: Question, asked: Asked
) -> Question:
    """Narrow a question of the recipe ``hierarchical``; without its vector it stays as it is."""
    if question.recipe != "hierarchical" or asked.vector is None or asked.table is None:
        return question
    narrowing = await hierarchical.within(
        session,
        scope,
        question.narrowing,
        vector=asked.vector,
        table=asked.table,
        segments=question.segments,
    )
    return replace(question, narrowing=narrowing)


async def with_others(
    session: AsyncSession,
    scope: Scope,
    kept: list[Candidate],
    question: Question,
    law: Law | None,
    *,
    now: datetime,
) -> list[Candidate]:
    """Return the hits together with what a recipe adds to them: links, or neighbours."""
    if question.recipe == "linked":
        linked = await linked_to(session, scope, kept, question.narrowing, now=now)
        return kept + best(linked, law, question, now)
    if question.recipe == "contiguous":
        beside = await contiguous.beside(
            session, scope, kept, question.narrowing, limit=question.limit, now=now
        )
        beside = best(beside, law, question, now)
        return contiguous.joined(kept, beside, limit=question.limit)
    return kept
