"""Users and agents: lists, settings, erase."""

from fastapi import APIRouter

from app.kit import clock
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, PageCursor, PageLimit, decode_cursor, trim
from app.tenants import service
from app.tenants.dependencies import ReaderDep, SessionDep, WriterDep
from app.tenants.errors import OtherOwnerError, OwnerNotFoundError
from app.tenants.schemas import (
    AgentId,
    EraseReceipt,
    OwnerKind,
    OwnerRead,
    OwnerSettings,
    OwnerSettingsUpdate,
    Principal,
    UserId,
)

router = APIRouter(prefix="/v1", tags=["users and agents"])


_ONE = problems(OwnerNotFoundError, OtherOwnerError)
_CHANGE = problems(OtherOwnerError)


async def _page(
    session: SessionDep, principal: Principal, kind: OwnerKind, limit: int, cursor: str | None
) -> Page[OwnerRead]:
    after = decode_cursor(cursor)
    rows = await service.list_owners(session, principal, kind, after=after, limit=limit + 1)
    rows, following = trim(rows, limit, lambda owner: owner.owner_id)
    items = [OwnerRead(id=row.external_id, created_at=row.created_at) for row in rows]
    return Page(items=items, next_cursor=following)


@router.get("/users", responses=problems(InvalidCursorError))
async def list_users(
    principal: ReaderDep, session: SessionDep, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[OwnerRead]:
    """List the tenant's users, in the order they were first seen."""
    return await _page(session, principal, "user", limit, cursor)


@router.get("/agents", responses=problems(InvalidCursorError))
async def list_agents(
    principal: ReaderDep, session: SessionDep, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[OwnerRead]:
    """List the tenant's agents that own memories, in the order they were first seen."""
    return await _page(session, principal, "agent", limit, cursor)


@router.get("/users/{user_id:path}/settings", responses=_ONE)
async def read_user_settings(
    principal: ReaderDep, session: SessionDep, user_id: UserId
) -> OwnerSettings:
    """Return a user's settings, and what holds for it."""
    owner = service.name_owner(principal, user_id, None)
    return await service.owner_settings(session, principal.tenant_id, owner)


@router.get("/agents/{agent_id:path}/settings", responses=_ONE)
async def read_agent_settings(
    principal: ReaderDep, session: SessionDep, agent_id: AgentId
) -> OwnerSettings:
    """Return an agent's settings, and what holds for it."""
    owner = service.name_owner(principal, None, agent_id)
    return await service.owner_settings(session, principal.tenant_id, owner)


@router.put("/users/{user_id:path}/settings", responses=_CHANGE)
async def change_user_settings(
    principal: WriterDep, session: SessionDep, user_id: UserId, body: OwnerSettingsUpdate
) -> OwnerSettings:
    """Replace a user's settings; a user not seen before is made."""
    owner = service.name_owner(principal, user_id, None)
    return await service.change_owner_settings(
        session, principal.tenant_id, owner, body, clock.now()
    )


@router.put("/agents/{agent_id:path}/settings", responses=_CHANGE)
async def change_agent_settings(
    principal: WriterDep, session: SessionDep, agent_id: AgentId, body: OwnerSettingsUpdate
) -> OwnerSettings:
    """Replace an agent's settings; an agent not seen before is made."""
    owner = service.name_owner(principal, None, agent_id)
    return await service.change_owner_settings(
        session, principal.tenant_id, owner, body, clock.now()
    )


@router.delete("/users/{user_id:path}", response_model_exclude_none=True, responses=_ONE)
async def erase_user(principal: WriterDep, session: SessionDep, user_id: UserId) -> EraseReceipt:
    """Erase a user with all memories and whatever was made of them, for ever."""
    owner = service.name_owner(principal, user_id, None)
    scope = await service.enter_known(session, principal.tenant_id, owner)
    erased = await service.erase_owner(session, scope)
    return EraseReceipt(user_id=user_id, erased=erased, erased_at=clock.now())


@router.delete("/agents/{agent_id:path}", response_model_exclude_none=True, responses=_ONE)
async def erase_agent(principal: WriterDep, session: SessionDep, agent_id: AgentId) -> EraseReceipt:
    """Erase what an agent owns, for ever; memories of users that name it stay theirs."""
    owner = service.name_owner(principal, None, agent_id)
    scope = await service.enter_known(session, principal.tenant_id, owner)
    erased = await service.erase_owner(session, scope)
    return EraseReceipt(agent_id=agent_id, erased=erased, erased_at=clock.now())
