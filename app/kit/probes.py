"""Probes for operators: live, ready, metrics, and the page that explains problem codes."""

import asyncio
import html
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from app.kit import metrics
from app.kit.errors import NotReadyError, Problem
from app.kit.openapi import problems

PartState = Literal["ok", "away", "behind"]
Check = Callable[[HTTPConnection], Awaitable[PartState]]

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Problem codes</title>
<style>body{{font:16px/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}}
code{{background:#8882;padding:.1em .3em}}</style><h1>Problem codes</h1>
<p>Every failure is answered as <code>application/problem+json</code>; <code>code</code> is stable.
{sections}</html>"""


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """The service can work; a part that is `away` makes it work less well."""

    status: Literal["ready"] = "ready"
    parts: dict[str, PartState]


def build_router(
    *,
    required: Mapping[str, Check],
    optional: Mapping[str, Check],
    collect: Callable[[HTTPConnection], Awaitable[None]],
    metrics_guard: Callable[..., Any],
    metrics_refusals: Sequence[type[Problem]],
) -> APIRouter:
    """Return the operators' routes.

    Args:
        required: parts without which the service is not ready.
        optional: parts whose absence is only told.
        collect: sets the gauges that are read when asked for.
        metrics_guard: dependency that refuses those who may not read the metrics.
        metrics_refusals: how it does so.
    """
    router = APIRouter(tags=["operations"])

    @router.get("/healthz/live")
    async def live() -> Live:
        """Say that the process answers."""
        return Live()

    @router.get("/healthz/ready", responses=problems(NotReadyError))
    async def ready(connection: HTTPConnection) -> Ready:
        """Say whether the service can work, and which part cannot."""
        parts = await _examine({**required, **optional}, connection)
        missing = [name for name in required if parts[name] != "ok"]
        if missing:
            msg = f"Not ready: {', '.join(missing)}."
            raise NotReadyError(msg, parts=parts).retry_after(1)
        return Ready(parts=parts)

    @router.get(
        "/metrics",
        dependencies=[Depends(metrics_guard)],
        response_class=PlainTextResponse,
        responses=problems(*metrics_refusals),
    )
    async def read_metrics(connection: HTTPConnection) -> Response:
        """Return metrics in Prometheus' text format."""
        await collect(connection)
        return Response(metrics.render(), media_type=metrics.CONTENT_TYPE_LATEST)

    router.add_api_route("/docs/problems", _explain_problems, include_in_schema=False)
    return router


async def _examine(checks: Mapping[str, Check], connection: HTTPConnection) -> dict[str, PartState]:
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(_run(check, connection)) for name, check in checks.items()}
    return {name: task.result() for name, task in tasks.items()}


async def _run(check: Check, connection: HTTPConnection) -> PartState:
    return await check(connection)


def problem_kinds() -> dict[str, type[Problem]]:
    """Return every kind of problem that is loaded, by its code."""
    kinds: dict[str, type[Problem]] = {Problem.slug: Problem}
    waiting = [Problem]
    while waiting:
        children = waiting.pop().__subclasses__()
        kinds.update({child.slug: child for child in children if "slug" in vars(child)})
        waiting += children
    return dict(sorted(kinds.items()))


async def _explain_problems() -> HTMLResponse:
    """Explain every problem code."""
    return HTMLResponse(_PAGE.format(sections="\n".join(_sections())))


def _sections() -> Iterator[str]:
    for slug, kind in problem_kinds().items():
        text = html.escape((kind.__doc__ or "").strip())
        yield f'<h2 id="{slug}"><code>{slug}</code> · {kind.status}</h2><p>{text}'
