"""Which of two passages came first, by where they stand among the memories."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.kit.database import Database
from app.memories import service as memories
from app.retrieval.kernel import ordering
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.ordering import Place, Text, Verdict
from app.retrieval.service.asking import Question, Recalled
from app.retrieval.service.recalling import Recaller

_CANDIDATES = 20
"""Memories in which a passage is looked for."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Ordered:
    """Which came first, and where each passage was found."""

    verdict: Verdict
    a: list[tuple[Candidate, Place]]
    b: list[tuple[Candidate, Place]]
    is_degraded: bool


async def order(
    database: Database, recaller: Recaller, question: Question, b: str, *, now: datetime
) -> Ordered:
    """Tell which of two passages came first: the question's text is the first of them.

    Both are looked for among what the question is narrowed to.
    """
    asked = replace(question, recipe="fused", limit=_CANDIDATES, with_retention=False)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(recaller.recall(asked, now=now))
        second = group.create_task(recaller.recall(replace(asked, text=b), now=now))
    found = (first.result(), second.result())
    places = [
        await _places(database, question, recalled, text)
        for recalled, text in zip(found, (question.text, b), strict=True)
    ]
    shown = [
        _shown(recalled.candidates, located)
        for recalled, located in zip(found, places, strict=True)
    ]
    is_degraded = any(recalled.is_degraded for recalled in found)
    return Ordered(ordering.compare(*places), shown[0], shown[1], is_degraded)


async def _places(
    database: Database, question: Question, recalled: Recalled, text: str
) -> list[Place]:
    if recalled.scope is None or not recalled.candidates:
        return []
    ordinals = [one.ordinal for one in recalled.candidates]
    scope, tenant_id = recalled.scope, question.tenant_id
    async with database.transaction(tenant_id=tenant_id, owner_id=scope.owner_id) as session:
        held = await memories.by_ordinals(session, scope, ordinals)
    return ordering.locate(
        text,
        [
            Text(one.ordinal, one.content, one.occurred_at, one.session_id, one.context_ordinal)
            for one in held
        ],
    )


def _shown(
    candidates: Sequence[Candidate], places: Sequence[Place]
) -> list[tuple[Candidate, Place]]:
    held = {one.ordinal: one for one in candidates}
    return [(held[place.text.ordinal], place) for place in places[:_SHOWN] if place.match > 0]
