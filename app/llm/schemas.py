"""The form of an answer: as a JSON schema for the server, and how an answer is read by it."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.llm.errors import LlmAnswerError
from app.llm.kernel import answers

Answer = TypeVar("Answer", bound=BaseModel)


def json_schema(answer: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of an answer, every object closed and every member asked for."""
    return answers.strict_schema(answer.model_json_schema())


def described(answer: type[BaseModel]) -> str:
    """Return instructions for a server that takes no schema."""
    schema = json.dumps(json_schema(answer), separators=(",", ":"), ensure_ascii=False)
    return f"Answer with one JSON object and nothing else. It must fit this JSON schema:\n{schema}"


def read(text: str, answer: type[Answer]) -> Answer:
    """Return an answer from what the model wrote.

    Raises:
        LlmAnswerError: not JSON, or not in the form; the message quotes nothing of it.
    """
    found = answers.json_object(text)
    if found is None:
        msg = f"The language model's answer holds no JSON object ({answer.__name__})."
        raise LlmAnswerError(msg)
    try:
        return answer.model_validate(found)
    except ValidationError as error:
        msg = f"The language model's answer does not fit {answer.__name__}: {_first(error)}."
        raise LlmAnswerError(msg) from error


def complaint(error: LlmAnswerError) -> str:
    """Return what to tell the model, and nobody else, about its answer."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return error.detail
    found = cause.errors(include_url=False, include_context=False, include_input=False)
    return "\n".join(f"{_path(one['loc'])}: {one['msg']}" for one in found[:10])


def _first(error: ValidationError) -> str:
    """Return the kind and the depth of the first mistake: a path may name what a model made up."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{error.error_count()} mistakes, the first is {first['type']}"


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the answer"
