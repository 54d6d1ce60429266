"""Language model over the OpenAI wire format: OpenAI, vLLM, llama.cpp, or our sidecar.

No tools are ever offered to the model: whatever stands in what it reads, it can only answer.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import openai
from openai.types.chat import ChatCompletion
from pydantic import BaseModel
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from app.kit import metrics
from app.kit.settings import LanguageModelSettings
from app.llm import schemas
from app.llm.client import failures
from app.llm.client.failures import Dialect, TransientError
from app.llm.errors import LlmAnswerError, LlmError, LlmRefusedError, LlmUnavailableError
from app.llm.kernel import answers
from app.llm.protocol import Answer, Meter, Payer, Prompt, Usage

_AWAY_S = 30.0
_SHORT_S = 15.0
_SHORTEST_QUESTION = "Say yes."
_MOST_TOKENS = 10**9
_LONGEST_QUOTE = 8_000
_REPAIR = "That does not fit:\n{complaint}\nAnswer again, with the corrected JSON object only."
_SHORTER = "Your answer was cut off: it was longer than {limit} tokens. Answer again, much shorter."

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Question:
    """One question as it goes over the wire."""

    messages: list[Message]
    answer: type[BaseModel]
    payer: Payer

    def repaired(self, text: str, error: LlmAnswerError) -> "_Question":
        """Return the question with the answer it got, and what is wrong with that."""
        complaint = _REPAIR.format(complaint=schemas.complaint(error))
        said = {"role": "assistant", "content": text[:_LONGEST_QUOTE]}
        return replace(
            self, messages=[*self.messages, said, {"role": "user", "content": complaint}]
        )

    def shorter(self, limit: int) -> "_Question":
        """Return the question without the answer it got, which was too long."""
        asked = _message("user", _SHORTER.format(limit=limit))
        return replace(self, messages=[*self.messages, asked])


class _CutOffError(LlmAnswerError):
    """The answer was longer than it may be."""


class OpenAiModel:
    """One model of one server."""

    def __init__(self, settings: LanguageModelSettings, meter: Meter) -> None:
        if settings.url is None or settings.model is None:
            msg = "a language model needs a URL and a name"
            raise ValueError(msg)
        self.model = settings.model
        self._settings = settings
        self._meter = meter
        self._dialects: dict[type[BaseModel], Dialect] = {}
        self._api = openai.AsyncOpenAI(
            base_url=settings.url,
            # Never the key of the environment: it belongs to another server.
            api_key=settings.key.get_secret_value() if settings.key else "none",
            max_retries=0,
            timeout=settings.timeout_s,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=not _is_loopback(settings.url)),
        )

    async def ask(self, prompt: Prompt, answer: type[Answer], *, payer: Payer) -> Answer:
        """Return the model's answer; where it is not in the form or too long, ask once more."""
        started, outcome = time.monotonic(), "error"
        try:
            found = await self._ask(prompt, answer, payer)
            outcome = "answered"
        except LlmError as error:
            outcome = error.outcome
            raise
        finally:
            metrics.observe_llm(outcome, time.monotonic() - started)
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def _ask(self, prompt: Prompt, answer: type[Answer], payer: Payer) -> Answer:
        messages = [_message("system", prompt.system), _message("user", prompt.user)]
        question = _Question(messages, answer, payer)
        try:
            text = await self._told(question)
        except _CutOffError:
            shorter = question.shorter(self._settings.max_output_tokens)
            return schemas.read(await self._told(shorter), answer)
        try:
            return schemas.read(text, answer)
        except LlmAnswerError as error:
            repair = question.repaired(text, error)
        return schemas.read(await self._told(repair), answer)

    async def _told(self, question: _Question) -> str:
        """Return what the model writes, in the best form that the server understands."""
        dialect = self._dialects.get(question.answer, Dialect())
        while True:
            try:
                text = await self._patiently(question, dialect)
            except openai.APIStatusError as error:
                poorer = failures.poorer(dialect, error)
                if poorer is None:
                    raise failures.refusal(error) from error
                dialect = poorer
                continue
            self._dialects[question.answer] = dialect
            return text

    async def _patiently(self, question: _Question, dialect: Dialect) -> str:
        """Send a question, again while that may help."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._settings.attempts),
            wait=_wait,
            reraise=True,
        )
        try:
            text: str = await retrying(self._attempt, question, dialect)
        except TransientError as error:
            if await self._is_there(question.payer, dialect):
                msg = f"The language model does not answer this, though it answers others: {error}."
                raise LlmAnswerError(msg) from error
            msg = f"The language model did not answer: {error}."
            raise LlmUnavailableError(msg).retry_after(error.wait_s or _AWAY_S) from error
        return text

    async def _is_there(self, payer: Payer, dialect: Dialect) -> bool:
        """Tell whether the model answers the shortest of questions: what failed was the other's."""
        messages = [_message("user", _SHORTEST_QUESTION)]
        body: dict[str, Any] = {"model": self.model, "messages": messages, dialect.limit: 1}
        estimate = _estimate(body)
        try:
            async with asyncio.timeout(min(self._settings.timeout_s, _SHORT_S)):
                completion: object = await self._api.chat.completions.create(**body)
        except (openai.APIConnectionError, TimeoutError) as error:
            await self._record_lost(payer, estimate, error)
            return False
        except (openai.APIError, ValueError):
            return False
        await self._record(payer, completion, estimate)
        return isinstance(completion, ChatCompletion)

    async def _attempt(self, question: _Question, dialect: Dialect) -> str:
        await self._meter.check(question.payer)
        body = self._body(question, dialect)
        estimate = _estimate(body)
        try:
            # The client's own time-out is for each read: a server that trickles never reaches it.
            async with asyncio.timeout(self._settings.timeout_s):
                completion: object = await self._api.chat.completions.create(**body)
        except (openai.APIConnectionError, TimeoutError) as error:
            await self._record_lost(question.payer, estimate, error)
            raise TransientError(_reason(error)) from error
        except openai.APIStatusError as error:
            raise failures.sort(error) from error
        except (openai.APIError, ValueError) as error:
            msg = "the answer is not JSON"
            raise TransientError(msg) from error
        await self._record(question.payer, completion, estimate)
        return _text(completion)

    def _body(self, question: _Question, dialect: Dialect) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "messages": question.messages}
        body[dialect.limit] = self._settings.max_output_tokens
        if dialect.has_temperature:
            body["temperature"] = 0
        if dialect.form == "schema":
            body["response_format"] = _response_format(question.answer)
            return body
        if dialect.form == "object":
            body["response_format"] = {"type": "json_object"}
        first, *others = question.messages
        told = f"{first['content']}\n\n{schemas.described(question.answer)}"
        body["messages"] = [_message("system", told), *others]
        return body

    async def _record(self, payer: Payer, completion: object, estimate: int) -> None:
        """Put what the server counted on the account, or an estimate where it did not count."""
        told = getattr(completion, "usage", None)
        read = getattr(told, "prompt_tokens", None)
        written = getattr(told, "completion_tokens", None)
        if not isinstance(read, int) or not isinstance(written, int):
            read, written = estimate, answers.estimate_tokens(_content(completion))
        await self._pay(payer, Usage(_within(read), _within(written)))

    async def _record_lost(self, payer: Payer, estimate: int, error: Exception) -> None:
        """Put a question whose answer got lost on the account: its server may have computed."""
        if "Connect" not in type(error.__cause__).__name__:
            await self._pay(payer, Usage(estimate, 0))

    async def _pay(self, payer: Payer, usage: Usage) -> None:
        metrics.count_tokens(*usage)
        await self._meter.record(payer, usage)


def _within(tokens: int) -> int:
    return min(max(0, tokens), _MOST_TOKENS)


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _response_format(answer: type[BaseModel]) -> dict[str, Any]:
    schema = schemas.json_schema(answer)
    named = {"name": answer.__name__, "schema": schema, "strict": answers.is_strict(schema)}
    return {"type": "json_schema", "json_schema": named}


def _estimate(body: dict[str, Any]) -> int:
    return sum(answers.estimate_tokens(message["content"]) for message in body["messages"])


def _is_loopback(url: str) -> bool:
    """Say whether the server is on this machine, where no proxy belongs between."""
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def _content(completion: object) -> str:
    """Return the text of an answer, whatever is missing from it."""
    choices = completion.choices if isinstance(completion, ChatCompletion) else None
    text = choices[0].message.content if choices else None
    return text if isinstance(text, str) else ""


def _text(completion: object) -> str:
    """Return the text of a whole answer.

    Raises:
        LlmRefusedError: the model, or a filter of its server, declined.
        LlmAnswerError: the answer is cut off, empty, or not of this wire format.
    """
    if not isinstance(completion, ChatCompletion) or not completion.choices:
        msg = "The language model's server does not speak the wire format of chat completions."
        raise LlmAnswerError(msg)
    choice = completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        msg = "The language model declined to answer."
        raise LlmRefusedError(msg)
    if choice.finish_reason == "length":
        msg = "The language model's answer is cut off at APP_LLM__MAX_OUTPUT_TOKENS."
        raise _CutOffError(msg)
    text = _content(completion)
    if not text.strip():
        msg = "The language model's answer is empty."
        raise LlmAnswerError(msg)
    return text


def _reason(error: Exception) -> str:
    is_slow = isinstance(error, openai.APITimeoutError | TimeoutError)
    return "it took too long" if is_slow else type(error.__cause__).__name__


_jitter = wait_random_exponential(multiplier=0.5, max=5.0)


def _wait(state: RetryCallState) -> float:
    """Wait as long as the server asked; else a random, growing time."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, TransientError) else None
    return (asked or 0.0) + _jitter(state)
