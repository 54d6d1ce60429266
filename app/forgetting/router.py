"""Forgetting over HTTP: what fades, when, and why."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from app.forgetting import service
from app.forgetting.schemas import (
    ForgettingRead,
    PreviewRead,
    PreviewRequest,
    RetentionRead,
    RunQueued,
    RunRequest,
)
from app.kit import clock
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import decode_cursor
from app.kit.text import AwareTime
from app.memories.errors import MemoryNotFoundError
from app.tenants import service as tenants
from app.tenants.dependencies import DatabaseDep, ReaderDep, SessionDep, WriterDep
from app.tenants.errors import OtherOwnerError, OwnerNotFoundError, OwnerRequiredError
from app.tenants.schemas import AgentId, OwnerName, Principal, UserId

router = APIRouter(prefix="/v1", tags=["forgetting"])


_ONE = problems(OwnerNotFoundError, OtherOwnerError)
_PICTURE = {
    200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "The chart."}
} | _ONE
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


@router.post(
    "/forgetting:preview",
    responses=problems(OtherOwnerError, OwnerRequiredError, InvalidCursorError),
)
async def preview_forgetting(
    session: SessionDep, principal: ReaderDep, body: PreviewRequest
) -> PreviewRead:
    """Say what would fade by then, by the policy in force or by another; change nothing.

    An unknown user has no memories: the answer is empty, not an error.
    """
    owner = tenants.name_owner(principal, body.user_id, body.agent_id)
    asked = service.Prospect(
        owner=owner,
        at=body.at,
        policy=body.policy,
        agent_id=body.agent_id if owner.kind == "user" else None,
        after=decode_cursor(body.cursor, bits=31) or 0,
        limit=body.limit,
    )
    return await service.preview(session, principal, asked, now=clock.now())


@router.post(
    "/forgetting:run",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(OtherOwnerError, OwnerRequiredError, OwnerNotFoundError),
)
async def run_forgetting(session: SessionDep, principal: WriterDep, body: RunRequest) -> RunQueued:
    """Archive in the background what has faded by the owner's policy; delete nothing.

    It does nothing while the policy archives nothing, as by default. It looks through all of the
    owner's memories, so a key bound to an agent may run it for that agent only.
    """
    owner = tenants.name_owner(principal, body.user_id, body.agent_id)
    if principal.bound is not None and principal.bound != owner:
        raise OtherOwnerError.of(principal.bound.kind)
    job_id = await service.queue_run(session, principal, owner, now=clock.now())
    return RunQueued(job_id=job_id)


@router.get("/memories/{memory_id}/retention", responses=problems(MemoryNotFoundError))
async def read_retention(
    session: SessionDep,
    principal: ReaderDep,
    memory_id: UUID,
    at: Annotated[AwareTime | None, Query(description="When; now, if left out.")] = None,
) -> RetentionRead:
    """Return how much of a memory is retained: R = e^(-t/S)."""
    return await service.retention(session, principal, memory_id, at=at or clock.now())


@router.get("/users/{user_id:path}/forgetting.json", responses=_ONE)
async def read_user_forgetting(
    session: SessionDep, principal: ReaderDep, user_id: UserId
) -> ForgettingRead:
    """Return the forgetting curves of a user's strongest, weakest and just recalled memories."""
    owner = tenants.name_owner(principal, user_id, None)
    return await service.curves(session, principal, owner, now=clock.now())


@router.get("/agents/{agent_id:path}/forgetting.json", responses=_ONE)
async def read_agent_forgetting(
    session: SessionDep, principal: ReaderDep, agent_id: AgentId
) -> ForgettingRead:
    """Return the forgetting curves of an agent's strongest, weakest and just recalled memories."""
    owner = tenants.name_owner(principal, None, agent_id)
    return await service.curves(session, principal, owner, now=clock.now())


@router.get("/users/{user_id:path}/forgetting.svg", response_class=Response, responses=_PICTURE)
async def draw_user_forgetting(
    database: DatabaseDep, principal: ReaderDep, user_id: UserId
) -> Response:
    """Draw the forgetting curves of a user's memories."""
    owner = tenants.name_owner(principal, user_id, None)
    return await _picture(database, principal, owner, now=clock.now())


@router.get("/agents/{agent_id:path}/forgetting.svg", response_class=Response, responses=_PICTURE)
async def draw_agent_forgetting(
    database: DatabaseDep, principal: ReaderDep, agent_id: AgentId
) -> Response:
    """Draw the forgetting curves of an agent's memories."""
    owner = tenants.name_owner(principal, None, agent_id)
    return await _picture(database, principal, owner, now=clock.now())


async def _picture(
    database: DatabaseDep, principal: Principal, owner: OwnerName, *, now: datetime
) -> Response:
    async with database.transaction(tenant_id=principal.tenant_id) as session:
        found = await service.curves(session, principal, owner, now=now)
    picture = await asyncio.to_thread(service.draw, found, owner)
    return Response(picture, media_type="image/svg+xml", headers=_HEADERS)
