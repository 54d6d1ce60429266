"""Archive what has faded, by the owner's policy. Nothing is ever deleted here."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.forgetting import repository
from app.forgetting.repository import Run
from app.forgetting.service.law import Law
from app.jobs import service as jobs
from app.jobs.protocol import TaskContext
from app.kit import clock
from app.kit.database import Database
from app.memories import service as memories
from app.memories.errors import OwnerBusyError
from app.memories.service import Among, Derivations, FadingMemory
from app.tenants import service as tenants
from app.tenants.policies import ForgettingPolicy
from app.tenants.schemas import OwnerName, Principal, Scope

JOB = "forget"
TASK = "forgetting.run"
EVERY = timedelta(hours=1)
_LOOK = 2_000
_ARCHIVE = 64
"""Memories archived in one transaction: writers of the same owner wait for it."""

Stopped = Callable[[], Awaitable[bool]]


async def _never() -> bool:
    return False


async def queue_run(
    session: AsyncSession, principal: Principal, owner: OwnerName, *, now: datetime
) -> UUID:
    """Queue a run over an owner's memories; return the job's id.

    Raises:
        OwnerNotFoundError: the tenant has no such owner.
    """
    scope = await tenants.enter_known(session, principal.tenant_id, owner)
    return await jobs.enqueue(
        session,
        tenant_id=principal.tenant_id,
        owner_id=scope.owner_id,
        kind=JOB,
        tasks=(TASK,),
        now=now,
        joins=True,
    )


async def run(context: TaskContext, derivations: Derivations) -> None:
    """Let an owner forget now what has faded; nothing while its policy archives nothing."""
    scope = Scope(context.tenant_id, context.required_owner_id())
    forgetter = Forgetter(context.database, scope, derivations, clock.now())
    await forgetter.run(context.is_cancelled)


async def keep_house(
    database: Database, tenant_id: UUID, derivations: Derivations, *, now: datetime
) -> None:
    """Let every owner forget whose policy archives, once an hour each."""
    async with database.transaction(tenant_id=tenant_id) as session:
        owner_ids = await tenants.owners_that_archive(session, tenant_id)
    for owner_id in owner_ids:
        scope = Scope(tenant_id, owner_id)
        async with database.transaction(tenant_id=tenant_id, owner_id=owner_id) as session:
            last = await repository.latest(session, scope, limit=1)
        if not last or last[0].ran_at <= now - EVERY:
            started = time.monotonic()
            await Forgetter(database, scope, derivations, now).run()
            await memories.give_way(database, spent_s=time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class Forgetter:
    """One run over an owner's memories, at one moment."""

    database: Database
    scope: Scope
    derivations: Derivations
    now: datetime

    async def run(self, is_stopped: Stopped = _never) -> int:
        """Archive what has faded; return how many.

        Safe to repeat and to cut off at any point: what is let go depends on the memory, the
        policy and the moment, not on how often one looks.
        """
        try:
            async with self._owner() as session:
                await memories.lock_owner(session, self.scope)
                policy = await self._policy(session)
                if policy.archiving == "off":
                    return 0
                run = await self._begin(session, policy)
            return await self._pass(Law(policy), run, is_stopped)
        except OwnerBusyError:  # erased meanwhile: nothing is left to forget
            return 0

    async def _begin(self, session: AsyncSession, policy: ForgettingPolicy) -> Run:
        stated = policy.model_dump(mode="json")
        run_no = await repository.begin(session, self.scope, stated, now=self.now)
        among = Among(policy.kinds, self.now)
        examined = await memories.count_fading(session, self.scope, among)
        await repository.count_examined(session, self.scope, run_no, examined)
        return Run(run_no, self.now, stated, examined)

    async def _pass(self, law: Law, run: Run, is_stopped: Stopped) -> int:
        archived, after, is_more = 0, 0, True
        while is_more and not await is_stopped():
            held = await self._look(law, after)
            faded = [one.ordinal for one in held if law.forgets(one, self.now)]
            for start in range(0, len(faded), _ARCHIVE):
                archived += await self._archive(law, run, faded[start : start + _ARCHIVE])
            is_more = len(held) == _LOOK
            after = held[-1].ordinal if held else after
        return archived

    async def _look(self, law: Law, after: int) -> Sequence[FadingMemory]:
        among = Among(law.policy.kinds, self.now, faded=law.faded(self.now))
        async with self._owner() as session:
            return await memories.fading(session, self.scope, among, after=after, limit=_LOOK)

    async def _archive(self, law: Law, run: Run, ordinals: Sequence[int]) -> int:
        """Archive those that are still faded behind the owner's lock: a recall may have come."""
        async with self._owner() as session:
            await memories.lock_owner(session, self.scope)
            if await self._policy(session) != law.policy:
                return 0
            held = await memories.by_ordinals(session, self.scope, ordinals)
            faded = [m for m in held if m.archived_at is None and law.forgets(m, self.now)]
            if faded:
                await memories.hide(session, self.scope, faded, reason="forgotten", now=self.now)
                await repository.count_archived(session, self.scope, run, len(faded))
                await self.derivations.refresh(session, self.scope, now=self.now)
            return len(faded)

    def _owner(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.database.transaction(
            tenant_id=self.scope.tenant_id, owner_id=self.scope.owner_id
        )

    async def _policy(self, session: AsyncSession) -> ForgettingPolicy:
        return (await tenants.effective_settings(session, self.scope)).policies.forgetting
