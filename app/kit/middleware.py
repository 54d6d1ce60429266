"""Edge of the api, as plain ASGI: request ids, access log, error boundary, body limit."""

import re
import time
import traceback
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit import metrics
from app.kit.errors import BodyTooLargeError, InternalError, Problem
from app.kit.logging import get_logger
from app.kit.problems import problem_response

REQUEST_ID = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_QUIET = ("/healthz/", "/metrics")
MOST_PARTS = 500_000
_PART = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[,\[{]', re.DOTALL)
_NO_ANSWER = 499  # the client went away, or the process was told to stop, before we answered

_OUR_FAULT = "Something went wrong here. Tell the operator the request id."

log = get_logger("http")


class Observed:
    """Gives each request an id, a line in the log, and a place in the histogram."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = _NO_ANSWER

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                header = (REQUEST_ID.lower().encode(), request_id.encode())
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                _report(scope, status, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    """Return the caller's id for the request if it is a sane one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = str(value.decode("latin-1"))
            return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
    return uuid.uuid4().hex


def _report(scope: Scope, status: int, seconds: float) -> None:
    # Never the raw path: it may hold a user's id.
    found = scope.get("route")
    route = str(getattr(found, "path_format", None) or getattr(found, "path", "unmatched"))
    metrics.observe_request(scope["method"], route, status, seconds)
    write = log.debug if scope["path"].startswith(_QUIET) else log.info
    write(
        "request",
        method=scope["method"],
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        **({"code": code} if (code := scope["state"].get("problem")) else {}),
    )


class ErrorBoundary:
    """Answers what nothing else answered: a problem, or a bug as 500, logged once."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, watched_send)
        except Exception as error:
            if not isinstance(error, Problem) or started:
                _log_bug(error)
            if started:
                # The server must break the connection off; it logs what it is given.
                msg = "an answer was broken off; the error is logged above"
                raise RuntimeError(msg) from None
            problem = error if isinstance(error, Problem) else InternalError(_OUR_FAULT)
            await problem_response(problem, scope)(scope, receive, send)


def _log_bug(error: Exception) -> None:
    # Not by the logger's own means: the text of an error may hold what somebody said.
    log.error("unexpected error", error=_name(error), traceback="\n".join(_trace(error)))


def _trace(error: BaseException, depth: int = 0) -> Iterator[str]:
    """Yield types and places of an error and its causes, but no message: it may quote data."""
    yield f"{_name(error)}{_sqlstate(error)}"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} {frame.name}: {frame.line}"
    if isinstance(error, BaseExceptionGroup):
        for child in error.exceptions:
            yield from _trace(child, depth + 1)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < 10:
        yield "caused by"
        yield from _trace(cause, depth + 1)


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _sqlstate(error: BaseException) -> str:
    code = getattr(error, "sqlstate", None)
    return f" [SQLSTATE {code}]" if isinstance(code, str) else ""


class BodyLimit:
    """Refuses bodies over a limit of bytes, declared or counted while they arrive, or of parts.

    Parts are what JSON is made of: texts, commas and opening brackets. Bytes alone bound too
    little: `[],` takes three on the wire and seventy in memory, and seconds to complain about.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self.app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _declared_length(scope) > self._limit:
            raise BodyTooLargeError(self._refusal(), limit_bytes=self._limit)
        is_read = False

        async def receive_whole() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return await self._read(receive)

        await self.app(scope, receive_whole, send)

    async def _read(self, receive: Receive) -> Message:
        """Return the whole body as one message, once it is known to be small enough."""
        chunks, received, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return message
            chunks.append(message.get("body", b""))
            received += len(chunks[-1])
            if received > self._limit:
                # The framework turns any other exception raised while it reads into a 400.
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._refusal())
            more = message.get("more_body", False)
        body = b"".join(chunks)
        if _has_too_many_parts(body):
            detail = f"The body has more than {MOST_PARTS} texts, commas and brackets."
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        return {"type": "http.request", "body": body, "more_body": False}

    def _refusal(self) -> str:
        return f"The body is larger than {self._limit} bytes."


def _has_too_many_parts(body: bytes) -> bool:
    """Tell whether a body has more parts than any honest one; cheap unless it looks like it."""
    if sum(map(body.count, (b'"', b",", b"[", b"{"))) <= MOST_PARTS:
        return False
    parts = _PART.finditer(body)
    return next(islice(parts, MOST_PARTS, None), None) is not None


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
