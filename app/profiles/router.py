"""Profiles, their versions, shades and summaries over HTTP; the same for users and agents."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import clock
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, PageCursor, PageLimit, decode_cursor, trim
from app.kit.text import Day
from app.profiles import service
from app.profiles.errors import ProfileVersionNotFoundError
from app.profiles.schemas import (
    DayRead,
    ProfileDiff,
    ProfileRead,
    ProfileRefresh,
    RefreshStarted,
    ShadeRead,
    VersionRead,
)
from app.tenants import service as tenants
from app.tenants.dependencies import ReaderDep, SessionDep, WriterDep
from app.tenants.errors import OtherOwnerError, OwnerNotFoundError
from app.tenants.schemas import AgentId, Principal, Scope, UserId

router = APIRouter(prefix="/v1", tags=["profiles"])

Version = Annotated[int | None, Query(ge=0, lt=2**31, description="The latest, unless named.")]
From = Annotated[int, Query(alias="from", ge=0, lt=2**31, description="The earlier version.")]
To = Annotated[int, Query(ge=0, lt=2**31, description="The later version.")]
Since = Annotated[Day | None, Query(alias="from", description="The first day.")]
Until = Annotated[Day | None, Query(alias="to", description="The last day.")]

_ONE = problems(OwnerNotFoundError, OtherOwnerError)
_VERSION = problems(OwnerNotFoundError, OtherOwnerError, ProfileVersionNotFoundError)
_LIST = problems(OwnerNotFoundError, OtherOwnerError, InvalidCursorError)
_JSON_LINES = {
    **_ONE,
    200: {
        "description": "One JSON object a line.",
        "content": {"application/jsonl": {"schema": {"type": "string"}}},
    },
}


async def _user(session: AsyncSession, principal: Principal, user_id: str) -> Scope:
    owner = tenants.name_owner(principal, user_id, None)
    return await tenants.enter_known(session, principal.tenant_id, owner)


async def _agent(session: AsyncSession, principal: Principal, agent_id: str) -> Scope:
    owner = tenants.name_owner(principal, None, agent_id)
    return await tenants.enter_known(session, principal.tenant_id, owner)


async def _versions(
    session: AsyncSession, scope: Scope, limit: int, cursor: str | None
) -> Page[VersionRead]:
    before = decode_cursor(cursor, bits=31)
    rows = await service.list_versions(session, scope, before=before, limit=limit + 1)
    items, following = trim(rows, limit, lambda row: row.version)
    return Page(items=list(items), next_cursor=following)


async def _days(
    session: AsyncSession,
    scope: Scope,
    span: tuple[date | None, date | None],
    limit: int,
    cursor: str | None,
) -> Page[DayRead]:
    after = decode_cursor(cursor, bits=21)
    since, until = span
    rows = await service.list_days(
        session, scope, since=since, until=until, after=after, limit=limit + 1
    )
    items, following = trim(rows, limit, lambda row: row.day.toordinal())
    return Page(items=list(items), next_cursor=following)


async def _shades(session: AsyncSession, scope: Scope) -> Page[ShadeRead]:
    return Page(items=(await service.read_profile(session, scope)).shades)


async def _export(session: AsyncSession, scope: Scope) -> Response:
    return Response(await service.export_sft(session, scope), media_type="application/jsonl")


async def _refresh(session: AsyncSession, scope: Scope, body: ProfileRefresh) -> RefreshStarted:
    job_id = await service.request(session, scope, full=body.full, now=clock.now())
    return RefreshStarted(job_id=job_id)


@router.get("/users/{user_id:path}/profile", responses=_VERSION)
async def read_user_profile(
    principal: ReaderDep, session: SessionDep, user_id: UserId, version: Version = None
) -> ProfileRead:
    """Return a user's profile: biography, portrait, summary, shades with their timelines.

    Before the first version it is empty, with `version` 0.
    """
    return await service.read_profile(session, await _user(session, principal, user_id), version)


@router.get("/agents/{agent_id:path}/profile", responses=_VERSION)
async def read_agent_profile(
    principal: ReaderDep, session: SessionDep, agent_id: AgentId, version: Version = None
) -> ProfileRead:
    """Return the profile of what an agent remembers for itself."""
    return await service.read_profile(session, await _agent(session, principal, agent_id), version)


@router.get("/users/{user_id:path}/profile/versions", responses=_LIST)
async def list_user_profile_versions(
    principal: ReaderDep,
    session: SessionDep,
    user_id: UserId,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[VersionRead]:
    """List the versions of a user's profile, the latest first."""
    return await _versions(session, await _user(session, principal, user_id), limit, cursor)


@router.get("/agents/{agent_id:path}/profile/versions", responses=_LIST)
async def list_agent_profile_versions(
    principal: ReaderDep,
    session: SessionDep,
    agent_id: AgentId,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[VersionRead]:
    """List the versions of an agent's profile, the latest first."""
    return await _versions(session, await _agent(session, principal, agent_id), limit, cursor)


@router.get("/users/{user_id:path}/profile/diff", responses=_VERSION)
async def compare_user_profiles(
    principal: ReaderDep, session: SessionDep, user_id: UserId, from_version: From, to: To
) -> ProfileDiff:
    """Return what differs between two versions of a user's profile; 0 is the empty one."""
    scope = await _user(session, principal, user_id)
    return await service.diff(session, scope, from_version, to)


@router.get("/agents/{agent_id:path}/profile/diff", responses=_VERSION)
async def compare_agent_profiles(
    principal: ReaderDep, session: SessionDep, agent_id: AgentId, from_version: From, to: To
) -> ProfileDiff:
    """Return what differs between two versions of an agent's profile; 0 is the empty one."""
    scope = await _agent(session, principal, agent_id)
    return await service.diff(session, scope, from_version, to)


@router.get("/users/{user_id:path}/shades", responses=_ONE)
async def list_user_shades(
    principal: ReaderDep, session: SessionDep, user_id: UserId
) -> Page[ShadeRead]:
    """List the shades of a user's latest profile, the largest first."""
    return await _shades(session, await _user(session, principal, user_id))


@router.get("/agents/{agent_id:path}/shades", responses=_ONE)
async def list_agent_shades(
    principal: ReaderDep, session: SessionDep, agent_id: AgentId
) -> Page[ShadeRead]:
    """List the shades of an agent's latest profile, the largest first."""
    return await _shades(session, await _agent(session, principal, agent_id))


@router.get("/users/{user_id:path}/summaries", responses=_LIST)
async def list_user_summaries(
    principal: ReaderDep,
    session: SessionDep,
    user_id: UserId,
    since: Since = None,
    until: Until = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[DayRead]:
    """List the days of a user that are over and summarised, earliest first."""
    scope = await _user(session, principal, user_id)
    return await _days(session, scope, (since, until), limit, cursor)


@router.get("/agents/{agent_id:path}/summaries", responses=_LIST)
async def list_agent_summaries(
    principal: ReaderDep,
    session: SessionDep,
    agent_id: AgentId,
    since: Since = None,
    until: Until = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[DayRead]:
    """List the days of an agent that are over and summarised, earliest first."""
    scope = await _agent(session, principal, agent_id)
    return await _days(session, scope, (since, until), limit, cursor)


@router.get("/users/{user_id:path}/export/sft", responses=_JSON_LINES)
async def export_user(principal: ReaderDep, session: SessionDep, user_id: UserId) -> Response:
    """Return a user's profile as examples for supervised fine-tuning, one JSON object a line."""
    return await _export(session, await _user(session, principal, user_id))


@router.get("/agents/{agent_id:path}/export/sft", responses=_JSON_LINES)
async def export_agent(principal: ReaderDep, session: SessionDep, agent_id: AgentId) -> Response:
    """Return an agent's profile as examples for supervised fine-tuning, one JSON object a line."""
    return await _export(session, await _agent(session, principal, agent_id))


@router.post(
    "/users/{user_id:path}/profile:refresh", status_code=status.HTTP_202_ACCEPTED, responses=_ONE
)
async def refresh_user_profile(
    principal: WriterDep, session: SessionDep, user_id: UserId, body: ProfileRefresh
) -> RefreshStarted:
    """Renew a user's profile in the background, however little has changed."""
    return await _refresh(session, await _user(session, principal, user_id), body)


@router.post(
    "/agents/{agent_id:path}/profile:refresh", status_code=status.HTTP_202_ACCEPTED, responses=_ONE
)
async def refresh_agent_profile(
    principal: WriterDep, session: SessionDep, agent_id: AgentId, body: ProfileRefresh
) -> RefreshStarted:
    """Renew an agent's profile in the background, however little has changed."""
    return await _refresh(session, await _agent(session, principal, agent_id), body)
