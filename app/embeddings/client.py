"""Embedder over the OpenAI wire format: our sidecar, or any server that speaks it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

import aiohttp
import numpy as np
from pydantic import BaseModel, ValidationError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
)
from tenacity.wait import wait_random_exponential

from app.embeddings import kernel
from app.embeddings.errors import EmbedderError, EmbedderRefusedError, EmbedderUnavailableError
from app.embeddings.protocol import Embedded, TextWindows, TokenBits, Vectors
from app.inference import wire
from app.inference.wire import (
    EmbeddingRequest,
    EmbeddingResponse,
    ProblemBody,
    WindowsRequest,
    WindowsResponse,
)
from app.kit.settings import EmbeddingSettings

_ATTEMPTS = 4
_QUERY_ATTEMPTS = 2
_IN_FLIGHT = 2  # requests of one call: the second is read and answered while the first computes
_REQUEST_CHARACTERS = 256_000
_LONGEST_WAIT_S = 10.0
_AWAY_S = 2.0  # Retry-After where the embedder named none
_NO_ROUTE = {404, 405, 501}
_JSON = {"Content-Type": "application/json"}

Answer = TypeVar("Answer", bound=BaseModel)


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Http(Protocol):
    """Sends requests to one server."""

    async def post(self, route: str, body: bytes) -> Reply:
        """Send one request, once.

        Raises:
            TimeoutError: no answer in time.
            aiohttp.ClientError: no answer, or half of one.
        """

    async def aclose(self) -> None:
        """Close the connections."""


class PooledHttp:
    """Kept-alive connections to the server of the settings.

    aiohttp, because a query waits for this: its share of a recall is a third of httpx's.
    """

    def __init__(self, settings: EmbeddingSettings) -> None:
        self._settings = settings
        self._base = settings.url.rstrip("/") + "/"
        self._session: aiohttp.ClientSession | None = None

    async def post(self, route: str, body: bytes) -> Reply:
        """Send one request, once; see ``Http.post``."""
        session = self._session or self._open()
        async with session.post(self._base + route, data=body) as response:
            return Reply(response.status, response.headers, await response.read())

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Open the pool; only a running event loop can hold one."""
        headers = dict(_JSON)
        if self._settings.key is not None:
            headers["Authorization"] = f"Bearer {self._settings.key.get_secret_value()}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s),
            connector=aiohttp.TCPConnector(limit=64, keepalive_timeout=60),
            trust_env=not _is_loopback(self._settings.url),
        )
        return self._session


class _TransientError(Exception):
    """One attempt failed in a way that a repeat may mend."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _NoSuchRouteError(Exception):
    """The server does not know our extension."""


class HttpEmbedder:
    """One pool of kept-alive connections to one model of one server."""

    def __init__(self, settings: EmbeddingSettings, *, http: Http | None = None) -> None:
        self.model = settings.model
        self._settings = settings
        self._has_windows = True
        self._has_tokens = True
        self._http = http or PooledHttp(settings)

    @property
    def has_tokens(self) -> bool:
        """Whether the server gives token bits, as far as is known."""
        return self._has_tokens

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in order. Shape [n, d]."""
        return (await self._embedded(texts, with_tokens=False)).vectors

    async def embed_with_tokens(self, texts: Sequence[str]) -> Embedded:
        """Return vectors and token bits, these only where the server knows the extension."""
        return await self._embedded(texts, with_tokens=True)

    async def _embedded(self, texts: Sequence[str], *, with_tokens: bool) -> Embedded:
        if not texts:
            return Embedded(np.zeros((0, 0), np.float32), None)
        gate = asyncio.Semaphore(_IN_FLIGHT)

        async def one(batch: Sequence[str]) -> Embedded:
            async with gate:
                return await self._answered(batch, attempts=_ATTEMPTS, with_tokens=with_tokens)

        try:
            async with asyncio.TaskGroup() as group:
                parts = [group.create_task(one(batch)) for batch in self._batches(texts)]
        except BaseExceptionGroup as failures:
            raise _first(failures) from failures
        return _joined([part.result() for part in parts])

    async def embed_query(self, text: str) -> Vectors:
        """Return the unit vector of a query within ``query_timeout_s``. Shape [d]."""
        vector: Vectors = (await self._embedded_query(text, with_tokens=False)).vectors[0]
        return vector

    async def embed_query_with_tokens(self, text: str) -> Embedded:
        """Return the vector and the token bits of a query within ``query_timeout_s``."""
        return await self._embedded_query(text, with_tokens=True)

    async def _embedded_query(self, text: str, *, with_tokens: bool) -> Embedded:
        try:
            async with asyncio.timeout(self._settings.query_timeout_s):
                return await self._answered(
                    [text], attempts=_QUERY_ATTEMPTS, with_tokens=with_tokens
                )
        except TimeoutError as error:
            msg = "The embedder took too long for a query."
            raise EmbedderUnavailableError(msg).retry_after(_AWAY_S) from error

    async def windows(self, texts: Sequence[str]) -> list[TextWindows]:
        """Return token counts and windows, estimated where the server has no such route."""
        found: list[TextWindows] = []
        for batch in self._batches(texts):
            if self._has_windows:
                try:
                    found += await self._asked_windows(batch)
                    continue
                except _NoSuchRouteError:
                    self._has_windows = False
            found += [kernel.byte_windows(text) for text in batch]
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _batches(self, texts: Sequence[str]) -> Iterator[Sequence[str]]:
        """Yield runs of at most ``batch`` texts that also stay within a sane body."""
        start = characters = 0
        for index, text in enumerate(texts):
            full = index - start == self._settings.batch
            if full or (index > start and characters + len(text) > _REQUEST_CHARACTERS):
                yield texts[start:index]
                start, characters = index, 0
            characters += len(text)
        if start < len(texts):
            yield texts[start:]

    async def _answered(
        self, texts: Sequence[str], *, attempts: int, with_tokens: bool
    ) -> Embedded:
        """Ask for vectors; for token bits too, until the server has shown that it has none."""
        asks_tokens = with_tokens and self._has_tokens
        try:
            return await self._asked(texts, attempts=attempts, with_tokens=asks_tokens)
        except EmbedderRefusedError:
            if not asks_tokens:
                raise
        # Some servers refuse a request that holds a member they do not know.
        found = await self._asked(texts, attempts=attempts, with_tokens=False)
        self._has_tokens = False
        return found

    async def _asked(self, texts: Sequence[str], *, attempts: int, with_tokens: bool) -> Embedded:
        # Unvalidated: the rooms above have checked the texts, and the server will again.
        request = EmbeddingRequest.model_construct(
            input=list(texts), model=self.model, encoding_format="base64", token_bits=True
        )
        members = {"input", "model", "encoding_format"} | ({"token_bits"} if with_tokens else set())
        body = request.model_dump_json(include=members)
        answer = await self._post("embeddings", body, EmbeddingResponse, attempts=attempts)
        try:
            found = _in_order(answer, len(texts))
        except ValueError as error:
            raise _unusable(error) from error
        if with_tokens and found.tokens is None:
            self._has_tokens = False
        return found

    async def _asked_windows(self, texts: Sequence[str]) -> list[TextWindows]:
        request = WindowsRequest.model_construct(input=list(texts), model=self.model)
        body = request.model_dump_json(include={"input", "model"})
        answer = await self._post("windows", body, WindowsResponse, attempts=_ATTEMPTS)
        rows = sorted(answer.data, key=lambda row: row.index)
        if [row.index for row in rows] != list(range(len(texts))):
            raise _unusable(ValueError("not one entry per text"))
        return [
            TextWindows(row.tokens, tuple((span.start, span.end) for span in row.windows))
            for row in rows
        ]

    async def _post(self, route: str, body: str, answer: type[Answer], *, attempts: int) -> Answer:
        """Send one request, again while that may help; parse the answer."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TransientError),
            stop=stop_after_attempt(attempts) | stop_after_delay(self._settings.timeout_s),
            wait=_wait,
            reraise=True,
        )
        try:
            content: bytes = await retrying(self._attempt, route, body.encode())
            return answer.model_validate_json(content)
        except _TransientError as error:
            msg = f"The embedder did not answer: {error}."
            problem = EmbedderUnavailableError(msg)
            raise problem.retry_after(error.wait_s or _AWAY_S) from error
        except ValidationError as error:
            raise _unusable(ValueError("not the embeddings wire format")) from error

    async def _attempt(self, route: str, body: bytes) -> bytes:
        try:
            reply = await self._http.post(route, body)
        except TimeoutError as error:
            msg = "The embedder took too long."
            raise EmbedderUnavailableError(msg).retry_after(_AWAY_S) from error
        except aiohttp.ClientError as error:
            raise _TransientError(type(error).__name__) from error
        if reply.status == 200:
            return reply.content
        raise _failure(reply, route)


def _is_loopback(url: str) -> bool:
    """Say whether the server is on this machine, where no proxy belongs between."""
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def _in_order(answer: EmbeddingResponse, count: int) -> Embedded:
    rows = sorted(answer.data, key=lambda row: row.index)
    if [row.index for row in rows] != list(range(count)):
        msg = "not one vector per text"
        raise ValueError(msg)
    vectors = kernel.unit(np.stack([kernel.decode_vector(row.embedding) for row in rows]))
    held = [row.token_bits for row in rows if row.token_bits is not None]
    return Embedded(vectors, [_tokens(one) for one in held] if len(held) == count else None)


def _tokens(held: wire.TokenBits) -> TokenBits:
    tokens, dimensions = held.shape
    return kernel.decode_bits(held.bits, tokens, dimensions)


def _joined(parts: Sequence[Embedded]) -> Embedded:
    """Return the answers to a text's batches as one; token bits only where all have them."""
    tokens = [one for part in parts for one in part.tokens or ()]
    is_whole = all(part.tokens is not None for part in parts)
    return Embedded(np.concatenate([part.vectors for part in parts]), tokens if is_whole else None)


def _failure(reply: Reply, route: str) -> Exception:
    """Sort an answer other than 200: worth a repeat, no such route, or refused."""
    status, code = reply.status, _code(reply)
    if route == "windows" and status in _NO_ROUTE and code != "model-not-found":
        return _NoSuchRouteError()
    if status == 429 or status >= 500:
        return _TransientError(f"status {status}", wait_s=_retry_after(reply))
    msg = f"The embedder refused the request with status {status} ({code or 'no code'})."
    return EmbedderRefusedError(msg)


def _code(reply: Reply) -> str | None:
    """Return the problem's code, where the server is ours."""
    try:
        return ProblemBody.model_validate_json(reply.content).code
    except ValidationError:
        return None


def _retry_after(reply: Reply) -> float | None:
    """Return the seconds the server asked for; a date or nonsense counts as not asked."""
    try:
        return max(0.0, float(reply.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


_jitter = wait_random_exponential(multiplier=0.1, max=2.0)


def _wait(state: RetryCallState) -> float:
    """Wait as long as the server asked, within reason; else a random, growing time."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _TransientError) and error.wait_s is not None:
        return min(error.wait_s, _LONGEST_WAIT_S) + _jitter(state)
    return _jitter(state)


def _unusable(error: ValueError) -> EmbedderRefusedError:
    return EmbedderRefusedError(f"The embedder's answer is unusable: {error}.")


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error to report for several batches that failed together."""
    for error in failures.exceptions:
        if not isinstance(error, EmbedderError):
            return error
    return failures.exceptions[0]
