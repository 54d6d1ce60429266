"""What can go wrong between us and a language model; no message holds text of a memory."""

from typing import ClassVar

from app.kit.errors import Problem, ServiceUnavailableError


class LlmError(Problem):
    """The language model gave no answer that can be used."""

    slug = "llm-error"
    status = 502
    title = "Language model failed"
    outcome: ClassVar[str] = "error"
    """How metrics count it."""


class LlmUnavailableError(LlmError, ServiceUnavailableError):
    """The language model is away, overloaded or too slow; try again."""

    slug = "llm-unavailable"
    status = 503
    title = "Language model unavailable"
    outcome = "unavailable"


class LlmRefusedError(LlmError):
    """The language model or its server declined; a repeat would fail the same way."""

    slug = "llm-refused"
    title = "Language model refused"
    outcome = "refused"


class LlmAnswerError(LlmError):
    """The language model answered, but not in the form it was asked for."""

    slug = "llm-answer"
    title = "Language model's answer is unusable"
    outcome = "invalid"


class LlmBudgetExceededError(LlmError):
    """The owner's or the tenant's tokens of the day are used up."""

    slug = "llm-budget-exceeded"
    status = 429
    title = "Language model's budget used up"
    outcome = "budget"
