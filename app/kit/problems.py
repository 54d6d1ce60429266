"""How failures are answered: application/problem+json (RFC 9457), one shape for all."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from app.kit.errors import (
    BodyTooLargeError,
    InternalError,
    InvalidJsonError,
    InvalidRequestError,
    MethodNotAllowedError,
    Problem,
    RouteNotFoundError,
    UnsupportedMediaTypeError,
)

MEDIA_TYPE = "application/problem+json"
_MOST_ERRORS = 50
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_CONTROL = "must not contain control characters"
_PARSING_FAILED = 400  # FastAPI's own status for a body it cannot decode


def problem_type(scope: Scope, slug: str) -> str:
    """Return the URI that names a kind of problem: where its documentation can be read."""
    base: str = getattr(scope["app"].state, "problem_base", "") if "app" in scope else ""
    return f"{base}/docs/problems#{slug}"


def problem_response(problem: Problem, scope: Scope) -> Response:
    """Return the answer to a request that failed; leave the code for the access log."""
    state = scope.setdefault("state", {})
    state["problem"] = problem.slug
    body: dict[str, object] = {
        **problem.extensions,
        "type": problem_type(scope, problem.slug),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.slug,
        "request_id": state.get("request_id"),
    }
    # ASCII only: a message may quote a name that holds a lone surrogate.
    content = json.dumps(body, default=str).encode("ascii")
    return Response(content, problem.status, dict(problem.headers), MEDIA_TYPE)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error, request.scope)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(_explain(request, error.errors()), request.scope)


def _explain(request: Request, errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Say what is wrong with a request without quoting it."""
    first = errors[0]
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", "not JSON")
        position = first["loc"][-1]
        return InvalidJsonError(
            f"The body is not JSON: {reason} at character {position}.", position=position
        )
    if tuple(first["loc"]) == ("body",) and not _is_json(request.headers.get("content-type", "")):
        msg = "Send the body as JSON, with `Content-Type: application/json`."
        return UnsupportedMediaTypeError(msg)
    listed = [
        {"path": _path(error["loc"]), "message": _message(error), "type": error["type"]}
        for error in errors[:_MOST_ERRORS]
    ]
    summary = f"{listed[0]['path']}: {listed[0]['message']}"
    return InvalidRequestError(summary, errors=listed)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _path(location: Sequence[str | int]) -> str:
    """Return where an error is, such as ``body.items[3].content``."""
    path = str(location[0]) if location else ""
    for step in location[1:]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


def _message(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem_response(_translated(request, error), request.scope)


def _translated(request: Request, error: HTTPException) -> Problem:
    """Return what the framework's own failure is in our terms."""
    if error.status_code == 404:
        if _CONTROL.search(request.scope["path"]):  # an id with a line feed matches no route
            wrong = {"path": "path", "message": _NO_CONTROL, "type": "value_error"}
            return InvalidRequestError(f"path: {_NO_CONTROL}", errors=[wrong])
        msg = "There is nothing at this path."
        return RouteNotFoundError(msg)
    if error.status_code == 405:
        problem: Problem = MethodNotAllowedError(f"This path does not take {request.method}.")
        problem.headers["Allow"] = ", ".join(sorted(_methods(request)))
        return problem
    if error.status_code == BodyTooLargeError.status:
        problem = BodyTooLargeError(error.detail)
        problem.headers.update(error.headers or {})
        return problem
    if error.status_code == _PARSING_FAILED:
        msg = "The body is not JSON in UTF-8."
        return InvalidJsonError(msg)
    return InternalError(f"The request failed with status {error.status_code}.")


def _methods(request: Request) -> set[str]:
    """Return what a path takes: the framework names the methods of one of its routes only."""
    routes: Sequence[BaseRoute] = request.app.routes
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in matching for method in getattr(route, "methods", ())}


def install(app: FastAPI, *, public_url: str) -> None:
    """Answer every expected failure of the app as a problem."""
    app.state.problem_base = public_url.rstrip("/")
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
