"""Thoughts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.kit import clock
from app.kit.body import too_much
from app.kit.errors import InvalidCursorError, LimitExceededError
from app.kit.openapi import problems
from app.kit.pagination import Page, decode_cursor, trim
from app.memories.dependencies import SpacesDep
from app.tenants import service as tenants
from app.tenants.dependencies import DatabaseDep, ReaderDep, SessionDep, SettingsDep
from app.tenants.errors import OtherOwnerError, OwnerNotFoundError, OwnerRequiredError
from app.tenants.schemas import AgentId, OwnerName, Principal, UserId
from app.thoughts import service
from app.thoughts.schemas import (
    Found,
    Listing,
    RecalledThought,
    RecalledThoughts,
    ThoughtList,
    ThoughtRead,
    ThoughtsRecall,
    UserThoughtList,
)

router = APIRouter(prefix="/v1", tags=["thoughts"])


_LIST = problems(InvalidCursorError, OwnerNotFoundError, OtherOwnerError)


@router.post(
    "/thoughts:recall",
    responses=problems(LimitExceededError, OtherOwnerError, OwnerRequiredError),
)
async def recall_thoughts(
    database: DatabaseDep,
    spaces: SpacesDep,
    settings: SettingsDep,
    principal: ReaderDep,
    body: ThoughtsRecall,
) -> RecalledThoughts:
    """Return the thoughts that matter for a question, nearest first.

    Looks into the best fitting buckets only; more `probes` find more and take longer. An unknown
    user has no thoughts: the answer is empty, not an error.
    """
    path = "query"
    if len(body.query.encode()) > settings.limits.query_bytes:
        raise too_much(path, f"{settings.limits.query_bytes} bytes")
    owner = tenants.name_owner(principal, body.user_id, body.agent_id)
    question = service.ThoughtQuestion(
        tenant_id=principal.tenant_id,
        owner=owner,
        text=body.query,
        limit=body.limit,
        agent_id=body.agent_id if owner.kind == "user" else None,
        probes=body.probes,
        with_forgotten="forgotten" in body.include,
    )
    found, is_degraded = await service.recall(
        database,
        spaces,
        question,
        timeout_s=settings.embeddings.query_timeout_s,
        now=clock.now(),
    )
    return RecalledThoughts(
        thoughts=[RecalledThought.of(one) for one in found],
        degraded=["dense"] if is_degraded else [],
    )


@router.get("/users/{user_id:path}/thoughts", responses=_LIST)
async def list_user_thoughts(
    session: SessionDep,
    principal: ReaderDep,
    user_id: UserId,
    asked: Annotated[UserThoughtList, Query()],
) -> Page[ThoughtRead]:
    """List a user's thoughts, newest first; those of one agent with `agent_id`."""
    owner = tenants.name_owner(principal, user_id, asked.agent_id)
    return await _page(session, principal, owner, asked, agent_id=asked.agent_id)


@router.get("/agents/{agent_id:path}/thoughts", responses=_LIST)
async def list_agent_thoughts(
    session: SessionDep,
    principal: ReaderDep,
    agent_id: AgentId,
    asked: Annotated[ThoughtList, Query()],
) -> Page[ThoughtRead]:
    """List the thoughts of what an agent remembers for itself, newest first."""
    owner = tenants.name_owner(principal, None, agent_id)
    return await _page(session, principal, owner, asked, agent_id=None)


async def _page(
    session: SessionDep,
    principal: Principal,
    owner: OwnerName,
    asked: ThoughtList,
    *,
    agent_id: str | None,
) -> Page[ThoughtRead]:
    before = decode_cursor(asked.cursor, bits=31)
    scope = await tenants.enter_known(session, principal.tenant_id, owner)
    listing = Listing(
        limit=asked.limit + 1,
        now=clock.now(),
        agent_id=agent_id,
        head=asked.head,
        relation=asked.relation,
        with_forgotten="forgotten" in asked.include,
        before=before,
    )
    found, following = trim(await service.page(session, scope, listing), asked.limit, _ordinal)
    return Page[ThoughtRead](items=[ThoughtRead.of(one) for one in found], next_cursor=following)


def _ordinal(found: Found) -> int:
    return found.ordinal
