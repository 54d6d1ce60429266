"""What the tests of the real client ask for, and how."""

from uuid import UUID

from pydantic import BaseModel, Field

from app.llm.client import OpenAiModel
from app.llm.errors import (
    LlmBudgetExceededError,
)
from app.llm.protocol import Payer, Prompt, Usage
from tests.llm.server import WireServer, answered

PAYER = Payer(UUID(int=7), 3)
PROMPT = Prompt("test.note", 1, "You summarise.", "A text.")


class Note(BaseModel):
    """What the tests ask for."""

    text: str
    tags: list[str] = Field(default_factory=list, max_length=3)


GOOD = answered(text="fine", tags=["a"])


class Ledger:
    """An account book without a database."""

    def __init__(self, *, budget: int = 10**9) -> None:
        self.entries: list[Usage] = []
        self.budget = budget

    async def check(self, payer: Payer) -> None:
        assert payer == PAYER
        if sum(map(sum, self.entries)) >= self.budget:
            msg = "used up"
            raise LlmBudgetExceededError(msg)

    async def record(self, payer: Payer, usage: Usage) -> None:
        assert payer == PAYER
        self.entries.append(usage)


def model_of(server: WireServer, ledger: Ledger | None = None, **settings: object) -> OpenAiModel:
    return OpenAiModel(server.settings(**settings), ledger or Ledger())


async def ask(server: WireServer, ledger: Ledger | None = None, **settings: object) -> Note:
    model = model_of(server, ledger, **settings)
    try:
        return await model.ask(PROMPT, Note, payer=PAYER)
    finally:
        await model.aclose()
