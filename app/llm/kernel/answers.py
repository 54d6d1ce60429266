"""Pure parts of an answer's form: strict JSON schemas, and JSON found in what a model wrote."""

import json
import math
import re
from typing import Any

_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_NESTED = ("anyOf", "allOf", "oneOf", "prefixItems")
_NAMED = ("properties", "$defs")
_DECODER = json.JSONDecoder()


def estimate_tokens(text: str) -> int:
    """Return a count of tokens that is rather too high than too low: a token per 3 bytes."""
    return math.ceil(len(text.encode()) / 3)


def strict_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose objects take no further members and have all of theirs.

    Servers that hold a model to a schema ask for this form; defaults make no sense in it.
    """
    closed = {name: value for name, value in schema.items() if name != "default"}
    for name in _NAMED:
        if name in closed:
            closed[name] = {key: strict_schema(value) for key, value in closed[name].items()}
    for name in _NESTED:
        if name in closed:
            closed[name] = [strict_schema(value) for value in closed[name]]
    if isinstance(closed.get("items"), dict):
        closed["items"] = strict_schema(closed["items"])
    if "properties" in closed:
        closed["required"] = list(closed["properties"])
        closed["additionalProperties"] = False
    return closed


def is_strict(schema: object) -> bool:
    """Say whether a schema leaves no object open, as ``strict`` demands."""
    if isinstance(schema, list):
        return all(map(is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return False
    return all(map(is_strict, schema.values()))


def json_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object of an answer, whatever stands around it; ``None`` without one.

    Models wrap their answers in thoughts, fences and courtesies even when told not to.
    """
    told = _THOUGHT.sub("", text, count=1)
    fenced = [match[1] for match in _FENCED.finditer(told)]
    for candidate in (told, *fenced, told[max(0, told.find("{")) :]):
        found = _decoded(candidate.strip())
        if found is not None:
            return found
    return None


def _decoded(text: str) -> dict[str, Any] | None:
    """Return the object that a text begins with."""
    try:
        found, _ = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
