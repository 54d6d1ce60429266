"""The sidecar as an application: ``uvicorn app.sidecar.main:create_app --factory``."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import ValidationError

from app.kit import logging
from app.sidecar import edge, router
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
        yield
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
        await wing.close()

    app = FastAPI(
        title="Remembrancer sidecar",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    app.state.wing = wing
    app.include_router(router.v1)
    app.include_router(router.health)
    edge.install(app, chosen, wing.metrics)
    return app


def load_settings() -> SidecarSettings:
    """Read the environment; end the process with one sentence where it is wrong."""
    try:
        return SidecarSettings()
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, entry['loc']))} {entry['msg']}".strip()
            for entry in error.errors(include_input=False, include_url=False)
        ]
        msg = f"The sidecar's settings are wrong: {'; '.join(problems)}."
        raise SystemExit(msg) from None


def _operation_id(route: APIRoute) -> str:
    return route.name


def _stop() -> None:
    signal.raise_signal(signal.SIGTERM)
