"""Reads the compose files as Docker would: variables filled in, anchors merged."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"([A-Za-z_]\w*)(?:(:[-?])(.*))?", re.DOTALL)


class MissingVariableError(Exception):
    """A variable that must be set is not."""


def load(path: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return a compose file's content for these variables.

    Raises:
        MissingVariableError: one that it requires is unset or empty.
    """
    content: dict[str, Any] = _filled(yaml.safe_load(path.read_text()), variables)
    return content


def environment(service: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, str]:
    """Return what a service's processes see; a name without a value is handed through."""
    named: dict[str, Any] = dict(service.get("environment", {}))
    named.update({name: variables.get(name) for name, value in named.items() if value is None})
    return {name: str(value) for name, value in named.items() if value is not None}


def example_variables(path: Path) -> dict[str, str]:
    """Return every variable of an example file; those commented out too."""
    found = re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", path.read_text(), flags=re.MULTILINE)
    return dict(found)


def variables_named(path: Path) -> set[str]:
    """Return the variables a compose file takes from outside."""
    text = path.read_text()
    handed_through = {
        name
        for service in yaml.safe_load(text)["services"].values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    return handed_through | set(re.findall(r"\$\{([A-Za-z_]\w*)", text))


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Replace ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?complaint}``, nested or not."""
    start = text.find("${")
    if start < 0:
        return text
    end = _closing_brace(text, start)
    value = _value(text[start + 2 : end], variables)
    return text[:start] + value + interpolate(text[end + 1 :], variables)


def _closing_brace(text: str, start: int) -> int:
    depth = 0
    for place in range(start, len(text)):
        if text.startswith("${", place):
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if depth == 0:
                return place
    msg = f"a brace is missing in {text!r}"
    raise ValueError(msg)


def _value(expression: str, variables: Mapping[str, str]) -> str:
    match = _VARIABLE.fullmatch(expression)
    if match is None:
        msg = f"{expression!r} is no variable"
        raise ValueError(msg)
    name, operator, operand = match.groups()
    value = variables.get(name, "")
    if value or operator is None:
        return value
    if operator == ":?":
        msg = f"{name}: {operand}"
        raise MissingVariableError(msg)
    return interpolate(operand, variables)


def _filled(node: Any, variables: Mapping[str, str]) -> Any:  # noqa: ANN401  -- any YAML
    if isinstance(node, str):
        return interpolate(node, variables)
    if isinstance(node, list):
        return [_filled(item, variables) for item in node]
    if isinstance(node, dict):
        return {name: _filled(value, variables) for name, value in node.items()}
    return node
