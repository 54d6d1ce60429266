"""What was made of texts that are no longer so goes, also while its mechanism is switched off.

A mechanism that is on makes it anew. One that is off would leave it as it is for ever: what a user
corrected or archived would still be said.
"""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import clock
from app.kit.database import Database
from app.memories.models import Memory
from app.memories.repository import feed, owners
from app.memories.repository.feed import Position
from app.tenants.schemas import Scope

Outdated = Callable[[AsyncSession, Scope, Sequence[Memory]], Awaitable[None]]
"""Removes what a mechanism made of memories as they were; it holds the owner's lock."""

_OFF = ".off"
"""Behind a mechanism's name: the cursor of how far its texts were withdrawn."""
_BATCH = 64


async def withdraw(
    database: Database, scope: Scope, mechanism: str, outdated: Outdated | None
) -> None:
    """Remove what a mechanism that is off made of memories that changed since it saw them.

    Its own cursor stays: on again, it takes them up where it stopped.
    """
    if outdated is None:
        return
    while await _withdraw_some(database, scope, mechanism, outdated):
        pass


async def _withdraw_some(
    database: Database, scope: Scope, mechanism: str, outdated: Outdated
) -> bool:
    """Go through some of the changes; say whether there may be more."""
    async with database.transaction(tenant_id=scope.tenant_id, owner_id=scope.owner_id) as session:
        if not await owners.lock(session, scope):
            return False
        seen = await feed.position(session, scope, mechanism)
        withdrawn = await feed.position(session, scope, mechanism + _OFF)
        # Of memories that the mechanism never saw it has made nothing.
        after = Position(seen.ordinal, max(seen.change_no, withdrawn.change_no))
        until = await feed.end(session, scope)
        found = await feed.changed(session, scope, after=after, until=until, limit=_BATCH)
        if not found:
            return False
        await outdated(session, scope, [memory for _, memory in found])
        to = Position(seen.ordinal, found[-1][0])
        await feed.move(session, scope, mechanism + _OFF, to, now=clock.now())
        return len(found) == _BATCH
