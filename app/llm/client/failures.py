"""What the failures of a language model's server mean, and what of the wire format it speaks."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import openai

from app.kit import clock
from app.llm.errors import LlmRefusedError, LlmUnavailableError

_LONGEST_WAIT_S = 10.0
"""A server that asks for more patience is left alone: the task comes again."""
_NO_MONEY_S = 3_600.0
_LONGEST_AWAY_S = 86_400.0
_REPEATABLE = {408, 409, 425, 429}
_FORM_STATUS = {400, 422}
_TOO_LONG = re.compile(r"context.(?:length|size|window)|too long|exceed_context")


class TransientError(Exception):
    """One attempt failed in a way that a repeat may mend."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Dialect:
    """What of the wire format a server understands; the best is tried first."""

    form: Literal["schema", "object", "text"] = "schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    has_temperature: bool = True


def sort(error: openai.APIStatusError) -> Exception:
    """Sort an answer other than 200: worth a repeat, worth a task's patience, or final."""
    status = error.status_code
    if status not in _REPEATABLE and status < 500:
        return error
    if error.code == "insufficient_quota":
        msg = "The language model's server says that its account is used up."
        return LlmUnavailableError(msg).retry_after(_NO_MONEY_S)
    wait_s = _retry_after(error)
    if wait_s is not None and wait_s > _LONGEST_WAIT_S:
        msg = f"The language model's server asks to come back later (status {status})."
        return LlmUnavailableError(msg).retry_after(wait_s)
    return TransientError(f"status {status}", wait_s=wait_s)


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Return the seconds that the server asked for, as a number or as a date."""
    told = error.response.headers.get("Retry-After", "")
    try:
        seconds = float(told) if told[:1].isdigit() else _until(parsedate_to_datetime(told))
    except ValueError:
        return None
    return min(max(0.0, seconds), _LONGEST_AWAY_S)


def _until(at: datetime) -> float:
    return (at.replace(tzinfo=at.tzinfo or UTC) - clock.now()).total_seconds()


def poorer(dialect: Dialect, error: openai.APIStatusError) -> Dialect | None:
    """Return the next poorer dialect to try after a refusal; ``None`` if that would not help."""
    told = f"{error.code} {error.param} {error.type} {error.message}".lower()
    if error.status_code not in _FORM_STATUS or _TOO_LONG.search(told):
        return None
    if dialect.limit == "max_tokens" and "max_completion_tokens" in told:
        return replace(dialect, limit="max_completion_tokens")
    if dialect.has_temperature and "temperature" in told:
        return replace(dialect, has_temperature=False)
    if dialect.form == "schema":
        return replace(dialect, form="object")
    if dialect.form == "object":
        return replace(dialect, form="text")
    return None


def refusal(error: openai.APIStatusError) -> LlmRefusedError:
    """Return the refusal that a server's answer is."""
    # Not the server's own words: they may quote what was asked.
    msg = f"The language model's server refused the request with status {error.status_code}."
    return LlmRefusedError(msg)
