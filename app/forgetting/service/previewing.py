"""What would fade by when, by which policy; nothing changes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.forgetting.schemas import FadedMemory, PreviewRead
from app.forgetting.service.law import Law
from app.kit.pagination import trim
from app.memories import service as memories
from app.memories.service import Among, FadingMemory
from app.tenants import service as tenants
from app.tenants.policies import ForgettingPolicy
from app.tenants.schemas import OwnerName, Principal, Scope

_LOOK = 2_000


@dataclass(frozen=True, slots=True)
class Prospect:
    """A preview that is asked for."""

    owner: OwnerName
    at: datetime
    policy: ForgettingPolicy | None
    """One to try out; ``None``: the one in force."""
    agent_id: str | None
    """Only memories of this agent."""
    after: int
    """The ordinal behind which the page begins."""
    limit: int


async def preview(
    session: AsyncSession, principal: Principal, asked: Prospect, *, now: datetime
) -> PreviewRead:
    """Return what would fade; of an unknown owner, nothing."""
    scope = await tenants.enter(session, principal.tenant_id, asked.owner)
    if scope is None:
        held = (await tenants.tenant_settings(session, principal.tenant_id)).forgetting
        return _answer(asked.policy or held, asked, 0, 0)
    held = (await tenants.effective_settings(session, scope)).policies.forgetting
    law = Law(asked.policy or held)
    examined, faded = await _look(session, scope, law, asked, now=now)
    waiting = [one for one in faded if one.ordinal > asked.after][: asked.limit + 1]
    shown, following = trim(waiting, asked.limit, lambda one: one.ordinal)
    items = await _items(session, scope, law, asked, shown, now=now)
    answer = _answer(law.policy, asked, examined, len(faded))
    return answer.model_copy(update={"items": items, "next_cursor": following})


async def _look(
    session: AsyncSession, scope: Scope, law: Law, asked: Prospect, *, now: datetime
) -> tuple[int, list[FadingMemory]]:
    """Return how many memories can fade, and those that would have."""
    among = Among(law.policy.kinds, now, asked.agent_id)
    examined, after, faded = await memories.count_fading(session, scope, among), 0, []
    among = replace(among, faded=law.faded(asked.at))
    while held := await memories.fading(session, scope, among, after=after, limit=_LOOK):
        # In a thread: a large store must not keep the api from answering others.
        faded += await asyncio.to_thread(_of_those_faded, law, held, asked.at)
        after = held[-1].ordinal
    return examined, faded


def _of_those_faded(law: Law, held: Sequence[FadingMemory], at: datetime) -> list[FadingMemory]:
    return [one for one in held if law.forgets(one, at)]


def _answer(policy: ForgettingPolicy, asked: Prospect, examined: int, faded: int) -> PreviewRead:
    return PreviewRead(
        at=asked.at,
        policy=policy,
        archives=policy.archiving != "off",
        examined=examined,
        faded=faded,
        items=[],
    )


async def _items(
    session: AsyncSession,
    scope: Scope,
    law: Law,
    asked: Prospect,
    shown: Sequence[FadingMemory],
    *,
    now: datetime,
) -> list[FadedMemory]:
    held = await memories.by_ordinals(session, scope, [one.ordinal for one in shown])
    return [
        FadedMemory(
            id=memory.id,
            kind=memory.kind,
            content=memory.content,
            occurred_at=memory.occurred_at,
            retention=law.retention(memory, asked.at),
            strength_days=law.strength(memory),
            elapsed_days=law.elapsed(memory, asked.at),
            recalled_at=memory.recalled_at,
            fades_at=law.fades_at(memory),
            survival=law.survival(memory, min(now, asked.at), asked.at),
        )
        for memory in held
    ]
