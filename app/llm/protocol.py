"""What the rooms above ask of a language model, whoever serves it."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel

Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked: our instructions, and what they are to be applied to.

    Text of memories belongs into ``user`` only, between the marks of ``gate.fenced``.
    """

    name: str
    """Names the question, such as ``linking.note``; may have no text of a memory."""
    version: int
    system: str
    user: str


class Payer(NamedTuple):
    """On whose account a call goes: its tokens count for the owner and for the tenant."""

    tenant_id: UUID
    owner_id: int


class Usage(NamedTuple):
    """Tokens of one call, as the server counted them, or an estimate where it did not."""

    prompt_tokens: int
    completion_tokens: int


class LanguageModel(Protocol):
    """Answers in a given form; what it says is a claim, not yet a fact (see ``gate``)."""

    @property
    def model(self) -> str:
        """Name of the model, for ``generated_by``."""

    async def ask(self, prompt: Prompt, answer: type[Answer], *, payer: Payer) -> Answer:
        """Return the model's answer as an instance of ``answer``.

        Raises:
            LlmUnavailableError: nobody answered, or not now; a repeat may succeed.
            LlmBudgetExceededError: the payer's tokens of the day are used up.
            LlmRefusedError: the server or the model declined.
            LlmAnswerError: the answer is empty, cut off, or not in the form, even when repaired.
        """

    async def aclose(self) -> None:
        """Close connections."""


class Meter(Protocol):
    """Keeps the accounts of a language model."""

    async def check(self, payer: Payer) -> None:
        """Raise ``LlmBudgetExceededError`` where the payer's tokens of the day are used up."""

    async def record(self, payer: Payer, usage: Usage) -> None:
        """Add one call to the payer's day."""
