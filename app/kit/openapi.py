"""The OpenAPI document: every failure of every operation, in the one shape they have."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.kit.errors import Problem
from app.kit.glossary import GLOSSARY
from app.kit.problems import MEDIA_TYPE

_SCHEMA = {
    "title": "Problem",
    "description": "A failure (RFC 9457). `code` is stable; further members depend on it.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Where this code is documented."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened this time."},
        "code": {"type": "string", "description": "Stable name of the kind of failure."},
        "request_id": {"type": ["string", "null"], "description": "Finds the request in the logs."},
        "errors": {
            "type": "array",
            "description": "Of `invalid-request`: each place that is wrong.",
            "items": {
                "type": "object",
                "required": ["path", "message", "type"],
                "properties": {
                    "path": {"type": "string"},
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
    },
    "additionalProperties": True,
}
_METHODS = ("get", "post", "put", "patch", "delete")
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")

Responses = dict[int | str, dict[str, Any]]


def problems(*classes: type[Problem]) -> Responses:
    """Return ``responses=`` of a route (or router) that may fail in these ways."""
    responses: Responses = {}
    for problem in classes:
        _declare(responses, problem.status, problem)
    return responses


def _declare(responses: dict[Any, dict[str, Any]], key: int | str, problem: type[Problem]) -> None:
    response = responses.setdefault(key, {"description": "", "content": {}})
    content = response["content"].setdefault(
        MEDIA_TYPE, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
    )
    if problem.slug not in content["examples"]:
        content["examples"][problem.slug] = {"summary": problem.title, "value": _example(problem)}
        titles = [example["summary"] for example in content["examples"].values()]
        response["description"] = " · ".join(dict.fromkeys(titles))


def _example(problem: type[Problem]) -> dict[str, object]:
    return {
        "type": f"/docs/problems#{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": (problem.__doc__ or problem.title).splitlines()[0],
        "code": problem.slug,
        "request_id": "5f0c6d1e8a7b4c1f9d2e3a4b5c6d7e8f",
    }


def install(
    app: FastAPI,
    *,
    everywhere: Sequence[type[Problem]],
    with_key: Sequence[type[Problem]],
    with_input: Sequence[type[Problem]],
    with_body: Sequence[type[Problem]],
) -> None:
    """Let the app describe, besides what routes declare, what can happen to any of them."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                license_info=app.license_info,
                tags=app.openapi_tags,
                routes=app.routes,
            )
            for operation in _operations(document):
                responses = operation["responses"]
                _drop_framework_response(responses)
                expected = [*everywhere]
                expected += with_key if operation.get("security") else ()
                expected += with_input if _takes_input(operation) else ()
                expected += with_body if "requestBody" in operation else ()
                for problem in expected:
                    _declare(responses, str(problem.status), problem)
            _put_schema(document)
            _explain_names(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]  # the documented way to extend it


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from (path[method] for method in _METHODS if method in path)


def _takes_input(operation: dict[str, Any]) -> bool:
    return "requestBody" in operation or bool(operation.get("parameters"))


def _drop_framework_response(responses: dict[str, Any]) -> None:
    """Drop the framework's own 422: ours has another shape."""
    if "HTTPValidationError" in str(responses.get("422", {})):
        del responses["422"]


def _explain_names(document: dict[str, Any]) -> None:
    """Describe members and parameters that their room leaves to the glossary."""
    for schema in document["components"]["schemas"].values():
        for name, member in schema.get("properties", {}).items():
            _explain(name, member)
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            _explain(parameter["name"], parameter)


def _explain(name: str, place: dict[str, Any]) -> None:
    if "description" not in place and name in GLOSSARY:
        place["description"] = GLOSSARY[name]


def _put_schema(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    schemas["Problem"] = _SCHEMA
