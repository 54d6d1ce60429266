"""What the tasks of the room share: whose profile it is, and how it is reached."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.kit.database import Database
from app.kit.settings import ProfileSettings
from app.llm.protocol import LanguageModel, Payer
from app.memories import service as memories
from app.memories.service import OwnerGoneError, Spaces
from app.profiles.models import ProfileState
from app.profiles.repository import states
from app.profiles.service.calibration import Calibrations
from app.tenants import service as tenants
from app.tenants.schemas import LocalSettings, OwnerKind, Scope


@dataclass(frozen=True, slots=True)
class Workshop:
    """What summaries and profiles are made with."""

    spaces: Spaces
    llm: LanguageModel | None
    settings: ProfileSettings
    calibrations: Calibrations = field(default_factory=Calibrations)


@dataclass(frozen=True, slots=True)
class Subject:
    """One owner while its profile is made."""

    context: TaskContext
    shop: Workshop
    scope: Scope
    local: LocalSettings
    kind: OwnerKind
    erasures: int
    """As counted when the work began."""

    @property
    def database(self) -> Database:
        """The pool."""
        return self.context.database

    @property
    def payer(self) -> Payer:
        """On whose account a language model works."""
        return Payer(self.scope.tenant_id, self.scope.owner_id)

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction that sees the owner."""
        return owner(self.database, self.scope)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[tuple[AsyncSession, ProfileState]]:
        """Open a transaction that holds the owner's lock, if nothing was erased meanwhile.

        Raises:
            OwnerGoneError: the owner was erased.
            TaskPostponedError: a memory was; what was made of it must not be stored.
        """
        async with owner(self.database, self.scope) as session:
            await memories.lock_owner(session, self.scope)
            state = await states.get(session, self.scope)
            if state is None:
                raise OwnerGoneError
            if state.erasures != self.erasures:
                msg = "A memory was erased meanwhile; starting over."
                raise TaskPostponedError(msg, retry_in_s=0)
            yield session, state


def owner(database: Database, scope: Scope) -> AbstractAsyncContextManager[AsyncSession]:
    """Open a transaction that sees one owner."""
    return database.transaction(tenant_id=scope.tenant_id, owner_id=scope.owner_id)


async def subject(context: TaskContext, shop: Workshop) -> tuple[Subject, ProfileState] | None:
    """Return whom a task is for; ``None`` before the first memory or after an erase."""
    scope = Scope(context.tenant_id, context.required_owner_id())
    async with owner(context.database, scope) as session:
        state = await states.get(session, scope)
        if state is None:
            return None
        local = await tenants.effective_settings(session, scope)
        named = await tenants.name_of(session, scope)
    if named is None:
        return None
    return Subject(context, shop, scope, local, named.kind, state.erasures), state
