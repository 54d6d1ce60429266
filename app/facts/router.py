"""Facts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.facts import service
from app.facts.errors import TimelineTooLongError
from app.facts.schemas import FactList, FactRead, Found, Listing, Timeline, TimelineQuery
from app.kit import clock
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, decode_cursor, trim
from app.tenants import service as tenants
from app.tenants.dependencies import ReaderDep, SessionDep
from app.tenants.errors import OtherOwnerError, OwnerRequiredError
from app.tenants.schemas import OwnerName

router = APIRouter(prefix="/v1", tags=["facts"])


@router.get("/facts", responses=problems(InvalidCursorError, OtherOwnerError, OwnerRequiredError))
async def list_facts(
    session: SessionDep, principal: ReaderDep, asked: Annotated[FactList, Query()]
) -> Page[FactRead]:
    """List facts, those learned last first.

    `as_of` asks what held in the world at a time, `known_at` what we knew at a time: a correction
    that comes late changes what held, but not what we knew before it came. An unknown user has no
    facts: the list is empty, not an error.
    """
    before = decode_cursor(asked.cursor)
    owner = tenants.name_owner(principal, asked.user_id, asked.agent_id)
    scope = await tenants.enter(session, principal.tenant_id, owner)
    if scope is None:
        return Page[FactRead](items=[])
    listing = Listing(
        limit=asked.limit + 1,
        now=clock.now(),
        agent_id=_agent(owner, asked.agent_id),
        subject=asked.subject,
        relation=asked.relation,
        as_of=asked.as_of,
        known_at=asked.known_at,
        before=before,
    )
    found, following = trim(await service.page(session, scope, listing), asked.limit, _number)
    return Page[FactRead](items=[FactRead.of(one) for one in found], next_cursor=following)


@router.get(
    "/facts/timeline", responses=problems(OtherOwnerError, OwnerRequiredError, TimelineTooLongError)
)
async def read_timeline(
    session: SessionDep, principal: ReaderDep, asked: Annotated[TimelineQuery, Query()]
) -> Timeline:
    """Return how a relation went on, step by step, and how sure that is.

    A step of which no memory tells is filled only where the nearest observations on both sides, at
    most `span` steps away, agree.
    """
    owner = tenants.name_owner(principal, asked.user_id, asked.agent_id)
    scope = await tenants.enter(session, principal.tenant_id, owner)
    if scope is None:
        return service.empty_timeline(asked)
    agent_id = _agent(owner, asked.agent_id)
    return await service.timeline(session, scope, asked, agent_id=agent_id, now=clock.now())


def _agent(owner: OwnerName, agent_id: str | None) -> str | None:
    """Return the agent to whose memories a user's are narrowed."""
    return agent_id if owner.kind == "user" else None


def _number(found: Found) -> int:
    return found.fact_no
