"""Segments over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, decode_cursor, trim
from app.segmentation import service
from app.segmentation.schemas import Listing, SegmentList, SegmentRead, UserSegmentList
from app.tenants import service as tenants
from app.tenants.dependencies import ReaderDep, SessionDep
from app.tenants.errors import OtherOwnerError, OwnerNotFoundError
from app.tenants.schemas import AgentId, OwnerName, Principal, UserId

router = APIRouter(prefix="/v1", tags=["segments"])

_LIST = problems(InvalidCursorError, OwnerNotFoundError, OtherOwnerError)


@router.get("/users/{user_id:path}/segments", responses=_LIST)
async def list_user_segments(
    session: SessionDep,
    principal: ReaderDep,
    user_id: UserId,
    asked: Annotated[UserSegmentList, Query()],
) -> Page[SegmentRead]:
    """List the events that a user's memories were cut into, newest first."""
    owner = tenants.name_owner(principal, user_id, asked.agent_id)
    return await _page(session, principal, owner, asked, agent_id=asked.agent_id)


@router.get("/agents/{agent_id:path}/segments", responses=_LIST)
async def list_agent_segments(
    session: SessionDep,
    principal: ReaderDep,
    agent_id: AgentId,
    asked: Annotated[SegmentList, Query()],
) -> Page[SegmentRead]:
    """List the events that what an agent remembers for itself was cut into, newest first."""
    owner = tenants.name_owner(principal, None, agent_id)
    return await _page(session, principal, owner, asked, agent_id=None)


async def _page(
    session: SessionDep,
    principal: Principal,
    owner: OwnerName,
    asked: SegmentList,
    *,
    agent_id: str | None,
) -> Page[SegmentRead]:
    before = decode_cursor(asked.cursor, bits=31)
    scope = await tenants.enter_known(session, principal.tenant_id, owner)
    listing = Listing(
        limit=asked.limit + 1, agent_id=agent_id, session_id=asked.session_id, before=before
    )
    found = await service.page(session, scope, listing)
    kept, following = trim(found, asked.limit, _ordinal)
    return Page[SegmentRead](items=[one for _, one in kept], next_cursor=following)


def _ordinal(found: tuple[int, SegmentRead]) -> int:
    return found[0]
