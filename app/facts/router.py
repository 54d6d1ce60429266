"""Facts over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from app.facts import service
from app.facts.errors import ConflictNotFoundError, TimelineTooLongError
from app.facts.schemas import (
    ConflictFound,
    ConflictList,
    ConflictListing,
    ConflictOwner,
    ConflictRead,
    ConflictResolve,
    FactList,
    FactRead,
    Found,
    Listing,
    Timeline,
    TimelineQuery,
)
from app.kit import clock
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, decode_cursor, trim
from app.tenants import service as tenants
from app.tenants.dependencies import ReaderDep, SessionDep, WriterDep
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


@router.get(
    "/conflicts", responses=problems(InvalidCursorError, OtherOwnerError, OwnerRequiredError)
)
async def list_conflicts(
    session: SessionDep, principal: ReaderDep, asked: Annotated[ConflictList, Query()]
) -> Page[ConflictRead]:
    """List memories that contradict each other, those found last first, with both sides.

    `open` are those of which neither side holds by the owner's policy or by a decision.
    """
    before = decode_cursor(asked.cursor)
    owner = tenants.name_owner(principal, asked.user_id, asked.agent_id)
    scope = await tenants.enter(session, principal.tenant_id, owner)
    if scope is None:
        return Page[ConflictRead](items=[])
    policy = await service.policy_of(session, scope)
    listing = ConflictListing(
        limit=asked.limit + 1,
        now=clock.now(),
        policy=policy,
        status=asked.status,
        agent_id=_agent(owner, asked.agent_id),
        before=before,
    )
    held = await service.conflicts(session, scope, listing)
    found, following = trim(held, asked.limit, _conflict_number)
    items = [ConflictRead.of(one, policy.rule) for one in found]
    return Page[ConflictRead](items=items, next_cursor=following)


@router.post(
    "/conflicts/{conflict_id}:resolve",
    responses=problems(ConflictNotFoundError, OtherOwnerError, OwnerRequiredError),
)
async def resolve_conflict(
    session: SessionDep,
    principal: WriterDep,
    conflict_id: Annotated[UUID, Path(description="Id of the conflict.")],
    whose: Annotated[ConflictOwner, Query()],
    body: ConflictResolve,
) -> ConflictRead:
    """Decide which side of a conflict holds; safe to repeat."""
    owner = tenants.name_owner(principal, whose.user_id, whose.agent_id)
    scope = await tenants.enter(session, principal.tenant_id, owner)
    if scope is None:
        raise ConflictNotFoundError.of(conflict_id)
    policy = await service.policy_of(session, scope)
    found = await service.resolve(session, scope, conflict_id, body.winner, now=clock.now())
    return ConflictRead.of(found, policy.rule)


def _agent(owner: OwnerName, agent_id: str | None) -> str | None:
    """Return the agent to whose memories a user's are narrowed."""
    return agent_id if owner.kind == "user" else None


def _conflict_number(found: ConflictFound) -> int:
    return found.conflict_no


def _number(found: Found) -> int:
    return found.fact_no
