"""The language model as configured, its accounts, and what its failures mean to a task."""

import contextlib
import random
from collections.abc import Generator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.errors import TaskPostponedError
from app.kit import clock
from app.kit.database import Database
from app.kit.settings import LanguageModelSettings
from app.llm import repository
from app.llm.errors import LlmBudgetExceededError, LlmUnavailableError
from app.llm.protocol import LanguageModel, Payer, Usage

_AWAY_S = 30.0
"""How long a task waits for a model that did not say when it will be back."""
_SPREAD_S = 600.0
"""Tasks that wait for a new day do not all start at midnight."""


class Accounts:
    """Tokens per owner, tenant and day (UTC), and the budgets they are held to."""

    def __init__(self, database: Database, settings: LanguageModelSettings) -> None:
        self._database = database
        self._owner_budget = settings.owner_tokens_per_day
        self._tenant_budget = settings.tenant_tokens_per_day

    async def check(self, payer: Payer) -> None:
        """Raise where the tokens of the day are used up.

        Calls that run meanwhile are not foreseen: each may end a little over the budget.
        """
        if not self._owner_budget and not self._tenant_budget:
            return
        now = clock.now()
        async with self._database.transaction(tenant_id=payer.tenant_id) as session:
            of_owner, of_tenant = await repository.spent(session, *payer, day=now.date())
        _hold("owner", of_owner, self._owner_budget, now)
        _hold("tenant", of_tenant, self._tenant_budget, now)

    async def record(self, payer: Payer, usage: Usage) -> None:
        """Add one call to the day of the tenant and of the owner, as far as they still exist."""
        day = clock.now().date()
        tenant_id = payer.tenant_id
        with contextlib.suppress(IntegrityError):  # the tenant was erased meanwhile
            async with self._database.transaction(tenant_id=tenant_id) as session:
                await repository.add_to_tenant(session, tenant_id, day=day, usage=usage)
        with contextlib.suppress(IntegrityError):  # the owner was
            async with self._database.transaction(tenant_id=tenant_id) as session:
                await repository.add_to_owner(session, *payer, day=day, usage=usage)


def _hold(whose: str, spent: int, budget: int, now: datetime) -> None:
    if budget and spent >= budget:
        msg = f"The {whose}'s {budget} tokens of the day are used up."
        raise LlmBudgetExceededError(msg).retry_after(_until_tomorrow(now))


def _until_tomorrow(now: datetime) -> float:
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    return (midnight - now).total_seconds()


def configured(settings: LanguageModelSettings, database: Database) -> LanguageModel | None:
    """Return the language model of the settings; ``None`` where there is none."""
    if settings.url is None:
        return None
    # Most of a second and 20 MB, for processes with a model only.
    from app.llm.client import OpenAiModel  # noqa: PLC0415

    return OpenAiModel(settings, Accounts(database, settings))


@contextlib.contextmanager
def postponing() -> Generator[None]:
    """Let a task wait for a model that is away, or for the budget of a new day.

    Neither costs the job an attempt. A refusal or an unusable answer does: it passes through.
    """
    try:
        yield
    except LlmBudgetExceededError as error:
        spread = random.uniform(1, _SPREAD_S)  # noqa: S311  -- no secret
        raise TaskPostponedError(error.detail, retry_in_s=_told(error) + spread) from error
    except LlmUnavailableError as error:
        raise TaskPostponedError(error.detail, retry_in_s=_told(error)) from error


def _told(error: LlmBudgetExceededError | LlmUnavailableError) -> float:
    return float(error.headers.get("Retry-After", _AWAY_S))


async def usage_across_tenants(session: AsyncSession, day: date) -> tuple[int, int, int]:
    """Return calls, tokens read and tokens written on a day, of the whole installation."""
    return await repository.spent_across_tenants(session, day=day)


async def prune(database: Database, tenant_id: UUID, *, before: date) -> None:
    """Forget the accounts of days long past."""
    async with database.transaction(tenant_id=tenant_id) as session:
        await repository.prune(session, tenant_id, before=before)
