"""Owners: naming one, entering one, making one, listing them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import Read
from app.tenants.errors import OtherOwnerError, OwnerNotFoundError, OwnerRequiredError
from app.tenants.models import Owner
from app.tenants.repository import owners as repository
from app.tenants.schemas import OwnerKind, OwnerName, Principal, Scope


def name_owner(principal: Principal, user_id: str | None, agent_id: str | None) -> OwnerName:
    """Return whom a request is about: with both ids the user, the agent being an attribute.

    Raises:
        OwnerRequiredError: neither is named.
        OtherOwnerError: the key is bound to a user or agent that the request does not name.
    """
    owner = OwnerName("user", user_id) if user_id is not None else None
    agent = OwnerName("agent", agent_id) if agent_id is not None else None
    if owner is None and agent is None:
        raise OwnerRequiredError
    if principal.bound is not None and principal.bound not in (owner, agent):
        raise OtherOwnerError.of(principal.bound.kind)
    named = owner or agent
    assert named is not None
    return named


async def may_see(session: AsyncSession, principal: Principal, owner_id: int) -> bool:
    """Say whether a key may see what an owner has: all of its tenant, or the bound one's only."""
    if principal.bound is None:
        return True
    return await repository.name_of(session, principal.tenant_id, owner_id) == principal.bound


async def count_vote(session: AsyncSession, scope: Scope) -> int:
    """Count a vote of an owner on a hit; return how many there were before."""
    return await repository.count_vote(session, scope)


async def name_of(session: AsyncSession, scope: Scope) -> OwnerName | None:
    """Return how callers name an owner; ``None`` if it was erased."""
    return await repository.name_of(session, scope.tenant_id, scope.owner_id)


async def enter(session: AsyncSession, tenant_id: UUID, owner: OwnerName) -> Scope | None:
    """Let the transaction see one owner's rows; ``None`` if the tenant has no such owner."""
    return await repository.enter(session, tenant_id, owner)


def entering(tenant_id: UUID, owner: OwnerName) -> Read:
    """Return the read that does the same as ``enter``, for use with others in one round trip."""
    return repository.entering(tenant_id, owner)


def entered(tenant_id: UUID, rows: Sequence[tuple[Any, ...]]) -> Scope | None:
    """Return what ``entering`` found: the owner, or ``None`` if the tenant has no such owner."""
    return repository.entered(tenant_id, rows)


async def enter_known(session: AsyncSession, tenant_id: UUID, owner: OwnerName) -> Scope:
    """Let the transaction see one owner's rows.

    Raises:
        OwnerNotFoundError: the tenant has no such owner.
    """
    scope = await repository.enter(session, tenant_id, owner)
    if scope is None:
        raise OwnerNotFoundError.of(owner.kind)
    return scope


async def get_or_create_owner(
    session: AsyncSession, tenant_id: UUID, owner: OwnerName, now: datetime
) -> Scope:
    """Let the transaction see one owner's rows; make the owner at its first mention."""
    scope = await repository.enter(session, tenant_id, owner)
    while scope is None:  # again only if the owner was erased in between
        await repository.add(session, tenant_id, owner, now)
        scope = await repository.enter(session, tenant_id, owner)
        if scope is not None:
            await repository.add_counters(session, scope)
    return scope


async def list_owners(
    session: AsyncSession,
    principal: Principal,
    kind: OwnerKind,
    *,
    after: int | None,
    limit: int,
) -> Sequence[Owner]:
    """Return the users or agents that a key may see, in the order they were first seen."""
    return await repository.page(
        session, principal.tenant_id, kind, only=principal.bound, after=after, limit=limit
    )


async def owners_that_archive(session: AsyncSession, tenant_id: UUID) -> Sequence[int]:
    """Return the numbers of a tenant's owners whose forgetting policy archives."""
    return await repository.ids_that_archive(session, tenant_id)
