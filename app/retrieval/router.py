"""Recall and context over HTTP."""

import time

from fastapi import APIRouter

from app.feedback.dependencies import RecallLogDep
from app.forgetting.dependencies import ReinforcerDep
from app.kit import clock
from app.kit.ids import new_id
from app.kit.openapi import problems
from app.kit.settings import LimitSettings
from app.memories.dependencies import SpacesDep
from app.retrieval import service
from app.retrieval.dependencies import RecallerDep
from app.retrieval.errors import InvalidFilterError, QueryTooLongError
from app.retrieval.schemas import (
    ContextRequest,
    ContextResponse,
    Hit,
    OrderEvidence,
    OrderRequest,
    OrderResponse,
    PlaceRead,
    RecallRequest,
    RecallResponse,
)
from app.tenants import service as tenants
from app.tenants.dependencies import DatabaseDep, ReaderDep, SettingsDep
from app.tenants.errors import OtherOwnerError, OwnerRequiredError
from app.tenants.schemas import Principal

router = APIRouter(prefix="/v1", tags=["recall"])

_FAILURES = problems(InvalidFilterError, QueryTooLongError, OtherOwnerError, OwnerRequiredError)


@router.post("/recall", responses=_FAILURES)
async def recall(
    recaller: RecallerDep,
    reinforcer: ReinforcerDep,
    log: RecallLogDep,
    settings: SettingsDep,
    principal: ReaderDep,
    body: RecallRequest,
) -> RecallResponse:
    """Return the memories that matter for a question, best first.

    An unknown user has no memories: the answer is empty, not an error. While the embedder is
    away, keywords alone decide and `degraded` says so.
    """
    started = time.perf_counter()
    _check_query(body.query, settings.limits)
    now = clock.now()
    question = _question(principal, body)
    found = await recaller.recall(question, now=now)
    if body.reinforce:
        found.reinforce(reinforcer, {one.id for one in found.candidates}, now=now)
    recall_id = new_id()
    found.note(log, recall_id, agent_id=question.narrowing.agent_id)
    return RecallResponse(
        recall_id=recall_id,
        hits=[
            Hit.of(
                one,
                sources=found.sources.get(one.ordinal),
                explain=body.explain,
                turns=found.turns.get(one.ordinal),
            )
            for one in found.candidates
        ],
        degraded=["dense"] if found.is_degraded else [],
        took_ms=round((time.perf_counter() - started) * 1e3, 2),
    )


def _question(principal: Principal, body: RecallRequest) -> service.Question:
    owner = tenants.name_owner(principal, body.user_id, body.agent_id)
    return service.Question(
        tenant_id=principal.tenant_id,
        owner=owner,
        text=body.query,
        limit=body.limit,
        narrowing=service.Narrowing(
            session_id=body.session_id,
            agent_id=body.agent_id if owner.kind == "user" else None,
            kinds=tuple(body.kinds) if body.kinds is not None else None,
            as_of=body.as_of,
            node=service.parse_filters(body.filters),
        ),
        recipe=body.recipe,
        segments=body.segments,
        min_score=body.min_score,
        deadline_s=body.deadline_ms / 1e3 if body.deadline_ms is not None else None,
        with_sources="sources" in body.include,
        with_superseded="superseded" in body.include,
        with_retention=body.retention,
        with_feedback=body.compensate,
        granularity=body.granularity,
    )


def _check_query(query: str, limits: LimitSettings, *, path: str = "query") -> None:
    if len(query.encode()) > limits.query_bytes:
        msg = f"{path} exceeds the limit of {limits.query_bytes} bytes."
        raise QueryTooLongError(msg, path=path, limit=f"{limits.query_bytes} bytes")


@router.post("/order", responses=_FAILURES)
async def tell_order(
    recaller: RecallerDep,
    database: DatabaseDep,
    settings: SettingsDep,
    principal: ReaderDep,
    body: OrderRequest,
) -> OrderResponse:
    """Tell which of two passages came first, with where each stands.

    The order is that of `occurred_at`, then of writing within a session, then of the places within
    one memory. Passages that are not found, or whose memories share a time in different sessions,
    have no order: `first` is null.
    """
    started = time.perf_counter()
    for path in ("a", "b"):
        _check_query(getattr(body, path), settings.limits, path=path)
    owner = tenants.name_owner(principal, body.user_id, body.agent_id)
    narrowing = service.Narrowing(
        session_id=body.session_id,
        agent_id=body.agent_id if owner.kind == "user" else None,
        node=service.parse_filters(body.filters),
    )
    question = service.Question(principal.tenant_id, owner, body.a, 1, narrowing)
    found = await service.order(database, recaller, question, body.b, now=clock.now())
    return OrderResponse(
        first=found.verdict.first,
        by=found.verdict.by,
        confidence=found.verdict.confidence,
        evidence=OrderEvidence(
            a=[PlaceRead.of(*one) for one in found.a], b=[PlaceRead.of(*one) for one in found.b]
        ),
        degraded=["dense"] if found.is_degraded else [],
        took_ms=round((time.perf_counter() - started) * 1e3, 2),
    )


@router.post("/context", responses=_FAILURES)
async def build_context(
    recaller: RecallerDep,
    database: DatabaseDep,
    spaces: SpacesDep,
    reinforcer: ReinforcerDep,
    settings: SettingsDep,
    principal: ReaderDep,
    body: ContextRequest,
) -> ContextResponse:
    """Return text for a prompt within a budget of tokens.

    It holds the profile, the session's recent turns, and recalled memories with their dates; no
    memory stands in it twice. A broad question ("What do I like?") gets a third of the budget of
    profile; to one with more to go by the profile is added only where the memories leave room,
    a third at most too. It is left out where only an agent's part of a user's memories is asked
    for, and where `filters` narrow what the answer may be made of.
    """
    _check_query(body.query, settings.limits)
    owner = tenants.name_owner(principal, body.user_id, body.agent_id)
    agent_id = body.agent_id if owner.kind == "user" else None
    question = service.Question(
        tenant_id=principal.tenant_id,
        owner=owner,
        text=body.query,
        limit=service.CONTEXT_CANDIDATES,
        narrowing=service.Narrowing(agent_id=agent_id, node=service.parse_filters(body.filters)),
        with_retention=body.retention,
    )
    asked = service.ContextQuestion(
        question=question,
        session_id=body.session_id,
        agent_id=agent_id,
        max_tokens=body.max_tokens,
        by_characters=body.count_by == "characters",
        reinforce=body.reinforce,
    )
    return await service.build_context(
        database, spaces, recaller, asked, reinforcer=reinforcer, now=clock.now()
    )
