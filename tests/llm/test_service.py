"""Accounts, budgets, and what a failing model means to a task."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, SecretStr, ValidationError

from app.jobs.errors import TaskPostponedError
from app.kit import clock
from app.kit.database import Database
from app.kit.settings import LanguageModelSettings, Settings
from app.llm import service
from app.llm.errors import (
    LlmAnswerError,
    LlmBudgetExceededError,
    LlmRefusedError,
    LlmUnavailableError,
)
from app.llm.protocol import Payer, Prompt, Usage
from app.tenants import service as tenants
from app.tenants.schemas import OwnerName, TenantCreate
from tests.llm.server import WireServer, answered, completion

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PROMPT = Prompt("test.note", 1, "You summarise.", "A text.")


class Note(BaseModel):
    """What the tests ask for."""

    text: str


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
async def payer(database: Database) -> Payer:
    """An owner of a tenant."""
    return await new_payer(database, "alice")


async def new_payer(database: Database, name: str, tenant_id: UUID | None = None) -> Payer:
    if tenant_id is None:
        async with database.transaction() as session:
            wanted = TenantCreate(name=f"of {name}")
            tenant, _, _ = await tenants.create_tenant(session, wanted, NOON)
        tenant_id = tenant.tenant_id
    async with database.transaction(tenant_id=tenant_id) as session:
        owner = OwnerName("user", name)
        scope = await tenants.get_or_create_owner(session, tenant_id, owner, now=NOON)
    return Payer(scope.tenant_id, scope.owner_id)


def accounts(database: Database, *, owner: int = 0, tenant: int = 0) -> service.Accounts:
    settings = LanguageModelSettings(owner_tokens_per_day=owner, tenant_tokens_per_day=tenant)
    return service.Accounts(database, settings)


async def rows(database: Database, payer: Payer, table: str) -> list[tuple[int, int, int]]:
    names = ("calls", "prompt_tokens", "completion_tokens")
    columns = [sa.column(name, sa.BigInteger) for name in names]
    async with database.transaction(tenant_id=payer.tenant_id) as session:
        found = await session.execute(sa.select(*columns).select_from(sa.table(table)))
    return [tuple(row) for row in found]


@pytest.mark.pg
@pytest.mark.usefixtures("noon")
async def test_each_call_is_added_to_the_day_of_owner_and_tenant(
    database: Database, payer: Payer
) -> None:
    book = accounts(database)
    second = await new_payer(database, "bob", payer.tenant_id)

    await asyncio.gather(*(book.record(payer, Usage(10, 3)) for _ in range(5)))
    await book.record(second, Usage(100, 1))

    assert sorted(await rows(database, payer, "llm_usage")) == [(1, 100, 1), (5, 50, 15)]
    assert await rows(database, payer, "llm_tenant_usage") == [(6, 150, 16)]
    async with database.transaction() as session:
        assert await service.usage_across_tenants(session, NOON.date()) == (6, 150, 16)
        assert await service.usage_across_tenants(session, date(2026, 3, 5)) == (0, 0, 0)


@pytest.mark.pg
@pytest.mark.usefixtures("noon")
async def test_an_owner_over_his_budget_is_refused_until_midnight_and_others_are_not(
    database: Database, payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = accounts(database, owner=100)
    second = await new_payer(database, "bob", payer.tenant_id)
    await book.record(payer, Usage(60, 39))
    await book.check(payer)

    await book.record(payer, Usage(1, 0))

    with pytest.raises(LlmBudgetExceededError, match="owner's 100 tokens") as refused:
        await book.check(payer)
    await book.check(second)
    assert refused.value.headers["Retry-After"] == str(12 * 60 * 60)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=12))
    await book.check(payer)


@pytest.mark.pg
@pytest.mark.usefixtures("noon")
async def test_a_tenants_budget_is_that_of_all_its_owners(database: Database, payer: Payer) -> None:
    book = accounts(database, tenant=100)
    second = await new_payer(database, "bob", payer.tenant_id)
    stranger = await new_payer(database, "eve")

    await book.record(payer, Usage(60, 0))
    await book.check(second)
    await book.record(second, Usage(40, 0))

    with pytest.raises(LlmBudgetExceededError, match="tenant's 100 tokens"):
        await book.check(payer)
    await book.check(stranger)


@pytest.mark.pg
@pytest.mark.usefixtures("noon")
async def test_an_erased_owner_leaves_the_tenants_sum_and_a_late_call_no_row(
    database: Database, payer: Payer
) -> None:
    book = accounts(database, tenant=100)
    await book.record(payer, Usage(60, 0))
    async with database.transaction(tenant_id=payer.tenant_id) as session:
        await session.execute(sa.text("DELETE FROM owners"))

    await book.record(payer, Usage(40, 0))

    assert await rows(database, payer, "llm_usage") == []
    assert await rows(database, payer, "llm_tenant_usage") == [(2, 100, 0)]
    with pytest.raises(LlmBudgetExceededError):
        await book.check(payer)


@pytest.mark.pg
@pytest.mark.usefixtures("noon")
async def test_a_call_for_a_tenant_that_is_gone_leaves_no_trace(database: Database) -> None:
    nobody = Payer(UUID(int=1), 1)

    await accounts(database).record(nobody, Usage(40, 0))

    assert await rows(database, nobody, "llm_tenant_usage") == []


@pytest.mark.pg
async def test_one_tenant_does_not_see_the_accounts_of_another(
    database: Database, payer: Payer
) -> None:
    await accounts(database).record(payer, Usage(40, 0))
    stranger = await new_payer(database, "eve")

    assert await rows(database, stranger, "llm_usage") == []
    assert await rows(database, stranger, "llm_tenant_usage") == []


@pytest.mark.pg
@pytest.mark.usefixtures("noon")
async def test_accounts_long_past_are_pruned(database: Database, payer: Payer) -> None:
    await accounts(database).record(payer, Usage(40, 0))

    await service.prune(database, payer.tenant_id, before=NOON.date())
    assert await rows(database, payer, "llm_usage") == [(1, 40, 0)]
    await service.prune(database, payer.tenant_id, before=NOON.date() + timedelta(days=1))

    assert await rows(database, payer, "llm_usage") == []
    assert await rows(database, payer, "llm_tenant_usage") == []


@pytest.mark.pg
async def test_a_configured_model_keeps_accounts_and_stops_at_the_budget(
    database: Database, payer: Payer, wire_server: WireServer
) -> None:
    settings = wire_server.settings(owner_tokens_per_day=240)
    model = service.configured(settings, database)
    assert model is not None
    wire_server.script(completion("no json"), answered(text="fine"), answered(text="never"))

    assert await model.ask(PROMPT, Note, payer=payer) == Note(text="fine")
    with pytest.raises(LlmBudgetExceededError):
        await model.ask(PROMPT, Note, payer=payer)
    await model.aclose()

    assert model.model == "wire"
    assert len(wire_server.requests) == 2
    assert await rows(database, payer, "llm_usage") == [(2, 200, 40)]


async def test_without_a_url_there_is_no_model(database: Database) -> None:
    assert service.configured(LanguageModelSettings(), database) is None


@pytest.mark.parametrize("only", ["url", "model"])
def test_half_a_model_is_one_clear_error(only: str) -> None:
    with pytest.raises(ValidationError, match="set both APP_LLM__URL and APP_LLM__MODEL"):
        LanguageModelSettings(**{only: "http://llm.test/v1"})


def test_empty_variables_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "KEY", "MODEL"):
        monkeypatch.setenv(f"APP_LLM__{name}", "")

    assert Settings().llm == LanguageModelSettings()


def test_the_key_is_not_shown() -> None:
    settings = LanguageModelSettings(url="http://a.test", model="m", key=SecretStr("sk-1"))

    assert "sk-1" not in repr(settings)


def fail(error: Exception) -> None:
    with service.postponing():
        raise error


def test_a_task_waits_for_a_model_that_is_away() -> None:
    error = LlmUnavailableError("The language model did not answer: status 503.").retry_after(40)

    with pytest.raises(TaskPostponedError, match="status 503") as caught:
        fail(error)

    assert caught.value.retry_in_s == 40


def test_a_task_waits_for_the_budget_of_a_new_day_a_little_spread() -> None:
    waits = set()
    for _ in range(5):
        with pytest.raises(TaskPostponedError) as caught:
            fail(LlmBudgetExceededError("used up").retry_after(1_000))
        waits.add(caught.value.retry_in_s)

    assert len(waits) > 1
    assert all(1_000 < wait <= 1_600 for wait in waits)


@pytest.mark.parametrize("kind", [LlmRefusedError, LlmAnswerError])
def test_what_a_repeat_would_not_mend_costs_the_job_its_attempt(
    kind: type[LlmRefusedError | LlmAnswerError],
) -> None:
    with pytest.raises(kind):
        fail(kind("no"))
