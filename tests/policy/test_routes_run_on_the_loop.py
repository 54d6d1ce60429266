"""Everything that a route calls is a coroutine: a plain function would run in a thread."""

from collections.abc import Callable, Iterator
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.kit.settings import Settings
from app.main import create_app
from app.sidecar import main as sidecar
from app.sidecar.settings import SidecarSettings


def _in_threads(app: FastAPI) -> list[str]:
    """Return what the routes of an application would call in a thread."""
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert routes
    calls = [call for route in routes for call in _calls(route.dependant)]
    return sorted({getattr(call, "__qualname__", repr(call)) for call in calls if _waits(call)})


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    if dependant.call is not None:
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _waits(call: Callable[..., Any]) -> bool:
    forms = (call, getattr(call, "__call__", None))  # noqa: B004  -- schemes are called as objects
    return not any(iscoroutinefunction(form) or isasyncgenfunction(form) for form in forms)


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(lambda: create_app(Settings()), id="api"),
        pytest.param(lambda: sidecar.create_app(SidecarSettings()), id="sidecar"),
    ],
)
def test_no_route_waits_for_a_thread(app: Callable[[], FastAPI]) -> None:
    assert _in_threads(app()) == []


def test_a_plain_dependency_is_found() -> None:
    app = FastAPI()

    def plain() -> int:
        return 1

    @app.get("/")
    async def route(value: int = Depends(plain)) -> int:  # noqa: FAST002  -- the shortest form
        return value

    assert [name.rpartition(".")[2] for name in _in_threads(app)] == ["plain"]
