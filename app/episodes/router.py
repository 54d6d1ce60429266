"""Sessions and transcripts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.episodes import service
from app.episodes.schemas import MessageRead, SessionRead
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, PageCursor, PageLimit, decode_cursor, trim
from app.kit.text import ExternalId
from app.tenants import service as tenants
from app.tenants.dependencies import ReaderDep, SessionDep
from app.tenants.errors import OtherOwnerError, OwnerRequiredError

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

_FAILURES = problems(InvalidCursorError, OtherOwnerError, OwnerRequiredError)

UserId = Annotated[ExternalId | None, Query()]
AgentId = Annotated[ExternalId | None, Query()]


@router.get("", responses=_FAILURES)
async def list_sessions(
    session: SessionDep,
    principal: ReaderDep,
    user_id: UserId = None,
    agent_id: AgentId = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[SessionRead]:
    """List one owner's conversations, newest first."""
    owner = tenants.name_owner(principal, user_id, agent_id)
    scope = await tenants.enter(session, principal.tenant_id, owner)
    if scope is None:
        return Page[SessionRead](items=[])
    rows = await service.list_conversations(
        session,
        scope,
        agent_id=agent_id if owner.kind == "user" else None,
        before=decode_cursor(cursor, bits=31),
        limit=limit + 1,
    )
    rows, following = trim(rows, limit, lambda row: row.ordinal)
    items = [SessionRead.model_validate(row) for row in rows]
    return Page[SessionRead](items=items, next_cursor=following)


@router.get("/{session_id:path}/messages", responses=_FAILURES)
async def list_messages(
    session: SessionDep,
    principal: ReaderDep,
    session_id: Annotated[ExternalId, Path()],
    user_id: UserId = None,
    agent_id: AgentId = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[MessageRead]:
    """Return a conversation's messages, verbatim and in order; none for an unknown one."""
    owner = tenants.name_owner(principal, user_id, agent_id)
    scope = await tenants.enter(session, principal.tenant_id, owner)
    if scope is None:
        return Page[MessageRead](items=[])
    rows = await service.messages(
        session,
        scope,
        session_id,
        agent_id=agent_id if owner.kind == "user" else None,
        after=decode_cursor(cursor, bits=31) or 0,
        limit=limit + 1,
    )
    rows, following = trim(rows, limit, lambda row: row.seq or 0)
    items = [MessageRead.model_validate(row) for row in rows]
    return Page[MessageRead](items=items, next_cursor=following)
