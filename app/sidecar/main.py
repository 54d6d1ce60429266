"""The sidecar as an application: ``uvicorn app.sidecar.main:create_app --factory``."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import HTTPConnection

from app import __version__
from app.kit import logging, openapi, probes, problems, process
from app.kit.errors import (
    BodyTooLargeError,
    InternalError,
    InvalidJsonError,
    InvalidRequestError,
    UnsupportedMediaTypeError,
)
from app.kit.middleware import BodyLimit, ErrorBoundary, Observed
from app.sidecar import router
from app.sidecar.errors import UnauthorizedError
from app.sidecar.gate import Gate, guard_metrics
from app.sidecar.service import EmbeddingWing
from app.sidecar.settings import SidecarSettings

_DESCRIPTION = """Embeddings over the OpenAI wire format, with two extensions of our own:
`token_bits` on `/v1/embeddings`, and `/v1/windows`."""


def create_app(
    settings: SidecarSettings | None = None, *, on_failure: Callable[[], None] | None = None
) -> FastAPI:
    """Build the application; the model loads while it already answers `/healthz/live`.

    Args:
        settings: default: from the environment.
        on_failure: called when the model cannot be loaded; default: stop this process.
    """
    chosen = settings or load_settings()
    logging.configure(chosen.log(), process="sidecar")
    wing = EmbeddingWing(chosen, on_failure=on_failure or _stop)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        loading = asyncio.create_task(wing.load())
        if settings is None:
            process.spare_the_collector()
        yield
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
        await wing.close()

    app = FastAPI(
        title="Remembrancer sidecar",
        version=__version__,
        summary="Models behind the OpenAI wire format.",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.wing = wing
    problems.install(app, public_url="")
    _add_middleware(app, chosen)
    for source in (router.router, _probes()):
        _add_routes(app, source)
    openapi.install(
        app,
        everywhere=(InternalError,),
        with_key=(UnauthorizedError,),
        with_input=(InvalidRequestError,),
        with_body=(BodyTooLargeError, UnsupportedMediaTypeError, InvalidJsonError),
    )
    return app


def _add_middleware(app: FastAPI, settings: SidecarSettings) -> None:
    """Wrap the routes; the one added last is the outermost."""
    app.add_middleware(BodyLimit, limit=settings.body_bytes)
    app.add_middleware(Gate, settings=settings)
    app.add_middleware(ErrorBoundary)
    app.add_middleware(Observed)


def _add_routes(app: FastAPI, source: APIRouter) -> None:
    """Put routes among the app's own: a nested one takes more than twice the time to find."""
    for route in source.routes:
        assert isinstance(route, APIRoute)
        route.operation_id = route.name
        app.router.routes.append(route)


def _probes() -> APIRouter:
    return probes.build_router(
        required={"model": _model_answers},
        optional={},
        collect=_collect,
        metrics_guard=guard_metrics,
        metrics_refusals=(UnauthorizedError,),
    )


async def _model_answers(connection: HTTPConnection) -> probes.PartState:
    return "ok" if connection.app.state.wing.is_ready else "away"


async def _collect(_: HTTPConnection) -> None:
    """All our metrics are kept up to date by themselves."""


def load_settings() -> SidecarSettings:
    """Read the environment; end the process with one sentence where it is wrong."""
    try:
        return SidecarSettings()
    except ValidationError as error:
        problems = [
            f"{_variable(entry['loc'])}{entry['msg']}"
            for entry in error.errors(include_input=False, include_url=False)
        ]
        msg = f"The sidecar's settings are wrong: {'; '.join(problems)}."
        raise SystemExit(msg) from None


def _variable(location: tuple[int | str, ...]) -> str:
    """Return the variable an error is about; nothing if it is about several."""
    if not location:
        return ""
    name = str(location[0])
    return f"{name}: " if name.startswith("APP_") else f"APP_SIDECAR__{name.upper()}: "


def _stop() -> None:
    signal.raise_signal(signal.SIGTERM)
