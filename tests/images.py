"""The Dockerfile as the tests read it, and what the code has to offer to it."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import BaseModel
from typer.main import get_command

from app.cli import cli
from app.kit.settings import Settings
from app.sidecar.settings import SidecarSettings

ROOT = Path(__file__).parents[1]


class Stage(NamedTuple):
    """One stage of the Dockerfile: what it starts from and its instructions."""

    start: str
    instructions: list[tuple[str, str]]


def instructions() -> Iterator[tuple[str, str]]:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word, rest.strip()


def _stages() -> dict[str, Stage]:
    stages: dict[str, Stage] = {}
    name = ""
    for word, rest in instructions():
        if word == "FROM":
            start, _, name = rest.partition(" AS ")
            stages[name] = Stage(start, [])
        else:
            stages[name].instructions.append((word, rest))
    return stages


STAGES = _stages()


def history(name: str) -> Iterator[tuple[str, str]]:
    """Yield every instruction that went into a stage, copied stages included; first ones first."""
    if name not in STAGES:
        return
    yield from history(STAGES[name].start)
    for word, rest in STAGES[name].instructions:
        copied = re.match(r"--from=(\S+)", rest)
        if copied:
            yield from history(copied[1])
        yield word, rest


def kept(name: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions whose layers and settings the image keeps, first ones first."""
    if name in STAGES:
        yield from kept(STAGES[name].start)
        yield from STAGES[name].instructions


def last(name: str, word: str) -> str:
    return [rest for found, rest in kept(name) if found == word][-1]


def environment(target: str) -> dict[str, str]:
    """Return the variables an image sets."""
    found: dict[str, str] = {}
    for word, rest in kept(target):
        if word == "ENV":
            found |= dict(pair.split("=", 1) for pair in rest.split())
    return found


def exec_form(text: str) -> list[str]:
    found: list[str] = yaml.safe_load(text)
    return found


def _names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield the variable of every setting, nested ones too."""
    for field, info in model.model_fields.items():
        alias = info.validation_alias
        choices = getattr(alias, "choices", None) or [field]
        for choice in choices:
            name = str(choice)
            name = name if name.startswith("APP_") else f"{prefix}{name.upper()}"
            nested = info.annotation
            if isinstance(nested, type) and issubclass(nested, BaseModel):
                yield from _names(nested, f"{name}__")
            else:
                yield name


SERVICE_SETTINGS = set(_names(Settings, "APP_"))
SIDECAR_SETTINGS = set(_names(SidecarSettings, "APP_SIDECAR__"))


def assert_runs(command: list[str]) -> None:
    assert command[0] == "python"
    if command[1] == "-c":
        compile(command[2], "healthcheck", "exec")
        return
    assert command[1] == "-m"
    assert importlib.util.find_spec(command[2]) is not None
    if command[2] == "app.cli":
        assert command[3] in get_command(cli).commands  # type: ignore[attr-defined]  # a group
