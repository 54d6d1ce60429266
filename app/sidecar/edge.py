"""Edge of the sidecar: token, size of the body, request id, duration; and errors as problems."""

import hmac
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.inference.wire import ProblemBody
from app.kit.errors import BodyTooLargeError, Problem
from app.kit.ids import new_id
from app.sidecar.errors import InvalidRequestError, UnauthorizedError
from app.sidecar.metrics import Metrics
from app.sidecar.settings import SidecarSettings, is_loopback

_SHOWN_ERRORS = 20


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, settings: SidecarSettings, metrics: Metrics) -> None:
        self._app = app
        self._token = settings.token.get_secret_value().encode() if settings.token else None
        self._body_bytes = settings.body_bytes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        request_id = str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self._guarded(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            seconds = time.perf_counter() - started
            self._metrics.request_seconds.labels(route, str(status)).observe(seconds)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._authorise(scope)
            receive = await self._body(scope, receive)
        except Problem as problem:
            answer = problem_response(problem, scope["state"]["request_id"])
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _authorise(self, scope: Scope) -> None:
        """Ask for the token on /v1, and beyond loopback on /metrics too."""
        path: str = scope["path"]
        server = scope.get("server")
        # The address the connection came in by: whatever was set, or said on a command line.
        local = server is None or server[1] is None or is_loopback(server[0])
        if not (path.startswith("/v1") or (path.startswith("/metrics") and not local)):
            return
        if self._token is None:
            if local:
                return
            msg = "Set APP_SIDECAR__TOKEN: beyond loopback a token is required."
            raise UnauthorizedError(msg)
        sent = next((v for name, v in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = sent.partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self._token):
            msg = "Send the sidecar's token as `Authorization: Bearer …`."
            raise UnauthorizedError(msg)

    async def _body(self, scope: Scope, receive: Receive) -> Receive:
        """Read the body within its limit; return a ``receive`` that gives it again."""
        if scope["method"] != "POST":
            return receive
        length = next((v for name, v in scope["headers"] if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > self._body_bytes:
            raise self._too_large()
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._body_bytes:
                raise self._too_large()
        return _replay(bytes(body), receive)

    def _too_large(self) -> Problem:
        msg = f"The body may hold {self._body_bytes} bytes."
        return BodyTooLargeError(msg, limit=self._body_bytes)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def problem_response(problem: Problem, request_id: str | None) -> JSONResponse:
    """Return a problem as application/problem+json."""
    return _respond(
        {
            **problem.extensions,
            "title": problem.title,
            "status": problem.status,
            "detail": problem.detail,
            "code": problem.slug,
            "request_id": request_id,
        },
        problem.headers,
    )


def _respond(members: dict[str, Any], headers: dict[str, str]) -> JSONResponse:
    body = ProblemBody.model_validate({"type": "about:blank", **members})
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True),
        status_code=body.status,
        headers=headers,
        media_type="application/problem+json",
    )


def _request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return problem_response(error, _request_id(request))


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Without the input: it is text of a memory, and may not even be encodable.
    errors = [
        {"loc": list(entry["loc"]), "message": entry["msg"]}
        for entry in error.errors()[:_SHOWN_ERRORS]
    ]
    problem = InvalidRequestError("The request is not well formed.", errors=errors)
    return problem_response(problem, _request_id(request))


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    members = {
        "title": status.phrase,
        "status": status.value,
        "detail": str(error.detail),
        "code": status.phrase.lower().replace(" ", "-"),
        "request_id": _request_id(request),
    }
    return _respond(members, dict(error.headers or {}))


async def _on_bug(request: Request, _: Exception) -> JSONResponse:
    problem = Problem("Something went wrong here; the log has it under the request id.")
    return problem_response(problem, _request_id(request))


_Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]
_HANDLERS: dict[type[Exception], _Handler] = {
    Problem: _on_problem,
    RequestValidationError: _on_invalid,
    HTTPException: _on_http_error,
    Exception: _on_bug,
}


def install(app: FastAPI, settings: SidecarSettings, metrics: Metrics) -> None:
    """Put the edge around the application."""
    app.add_middleware(Edge, settings=settings, metrics=metrics)
    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)
