"""The api: routers, handlers, lifespan. Nothing else."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import __version__
from app.derivations import DERIVATIONS
from app.embeddings.client import HttpEmbedder
from app.embeddings.errors import EmbedderError
from app.embeddings.protocol import Embedder
from app.episodes.router import router as episodes_router
from app.facts.router import router as facts_router
from app.feedback.router import router as feedback_router
from app.feedback.service import RecallLog
from app.forgetting.router import router as forgetting_router
from app.forgetting.service import Reinforcer
from app.ingestion.router import router as ingestion_router
from app.jobs import service as jobs
from app.jobs.router import build_router as build_jobs_router
from app.kit import clock, logging, metrics, openapi, problems, process, readiness
from app.kit.database import Database
from app.kit.errors import (
    BodyTooLargeError,
    DatabaseUnavailableError,
    InternalError,
    InvalidJsonError,
    InvalidRequestError,
    UnsupportedMediaTypeError,
)
from app.kit.middleware import REQUEST_ID, BodyLimit, ErrorBoundary, Observed
from app.kit.probes import PartState, build_router
from app.kit.rate_limit import TokenBuckets
from app.kit.settings import Settings
from app.linking.router import router as linking_router
from app.llm import service as language_models
from app.memories.router import models_router
from app.memories.router import router as memories_router
from app.memories.service import Spaces
from app.profiles.router import router as profiles_router
from app.retrieval.router import router as retrieval_router
from app.retrieval.service import Recaller
from app.segmentation.router import router as segmentation_router
from app.tenants import service as tenants
from app.tenants.dependencies import Gate, get_session, guard_metrics, require
from app.tenants.errors import (
    InvalidKeyError,
    MissingKeyError,
    MissingScopeError,
    OtherOwnerError,
    RateLimitedError,
)
from app.tenants.router import routers as tenants_routers
from app.thoughts.router import router as thoughts_router

PUBLIC_PATHS = frozenset(
    {
        "/healthz/live",
        "/healthz/ready",
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
        "/docs/problems",
        "/metrics",  # guards itself: open on loopback only, unless a setting opens it
    }
)
"""Routes that need no API key; a test holds every other one to needing one."""

_ROUTERS = (
    ingestion_router,
    retrieval_router,
    feedback_router,
    memories_router,
    models_router,
    thoughts_router,
    facts_router,
    segmentation_router,
    linking_router,
    profiles_router,
    forgetting_router,
    episodes_router,
    build_jobs_router(
        reader=Security(require, scopes=["read"]),
        writer=Security(require, scopes=["write"]),
        session=Depends(get_session, scope="function"),
        name_owner=tenants.name_owner,
        refusals=(OtherOwnerError,),
    ),
    *tenants_routers,
)

_DESCRIPTION = """\
Agent memory over HTTP: send it what was said, get back what matters now.

Send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`. A `write` key may also read,
an `admin` key may do both and manage keys. Every failure is `application/problem+json` with a
stable `code`; [all codes](/docs/problems). Lists take `limit` and `cursor`; a list without
`next_cursor` is at its end. Times are RFC 3339 with offset.
"""


def create_app(settings: Settings | None = None, *, embedder: Embedder | None = None) -> FastAPI:
    """Return the application; settings come from the environment unless given."""
    owns_process = settings is None
    if settings is None:
        settings = Settings()
        logging.configure(settings.log, process="api")
    app = FastAPI(
        title="Remembrancer",
        version=__version__,
        summary="Agent memory over HTTP.",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=_lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.owns_process = owns_process
    app.state.derivations = DERIVATIONS
    app.state.embedder = embedder or HttpEmbedder(settings.embeddings)
    problems.install(app, public_url=settings.http.public_url)
    _add_middleware(app, settings)
    for router in (*_ROUTERS, _probes()):
        _add_routes(app, router)
    openapi.install(
        app,
        everywhere=(InternalError, DatabaseUnavailableError),
        with_key=(MissingKeyError, InvalidKeyError, MissingScopeError, RateLimitedError),
        with_input=(InvalidRequestError,),
        with_body=(BodyTooLargeError, UnsupportedMediaTypeError, InvalidJsonError),
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Open what requests share; close it when the last one is answered."""
    settings: Settings = app.state.settings
    database = Database(settings.required_database_url(), settings.database)
    app.state.database = database
    app.state.key_ring = tenants.KeyRing(database, settings.limits, ttl_s=settings.http.key_cache_s)
    app.state.buckets = TokenBuckets()
    spaces = Spaces.configured(database, settings, primary=app.state.embedder)
    app.state.spaces = spaces
    app.state.recaller = Recaller(
        database, spaces, settings.retrieval, timeout_s=settings.embeddings.query_timeout_s
    )
    app.state.reinforcer = Reinforcer(database)
    app.state.recall_log = RecallLog(database)
    try:
        if settings.bootstrap_key is not None:
            key = settings.bootstrap_key.get_secret_value()
            await tenants.ensure_bootstrap(database, key, clock.now())
        async with app.state.reinforcer.running(), app.state.recall_log.running():
            if app.state.owns_process:
                process.spare_the_collector()
            yield
    finally:
        await spaces.aclose()
        await database.close()


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Wrap the routes; the one added last is the outermost."""
    app.add_middleware(BodyLimit, limit=settings.limits.body_bytes)
    app.add_middleware(Gate)
    app.add_middleware(ErrorBoundary)
    if settings.http.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.http.cors_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "X-API-Key", "Idempotency-Key", REQUEST_ID),
            expose_headers=(REQUEST_ID, "Retry-After", "RateLimit-Remaining", "RateLimit-Reset"),
        )
    app.add_middleware(Observed)
    if settings.http.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.http.trusted_proxies)


def _add_routes(app: FastAPI, router: APIRouter) -> None:
    """Put a router's routes among the app's own; operations are named as their functions.

    ``include_router`` would nest them, and finding a nested route takes more than twice the time.
    """
    for route in router.routes:
        assert isinstance(route, APIRoute)
        route.operation_id = route.name
        app.router.routes.append(route)


def _probes() -> APIRouter:
    return build_router(
        required={
            "database": readiness.database_answers,
            "schema": readiness.schema_is_there(),
        },
        optional={"embedder": readiness.remembered(_embedder_answers, for_s=5)},
        collect=_collect,
        metrics_guard=guard_metrics,
        metrics_refusals=(MissingKeyError, InvalidKeyError, MissingScopeError, RateLimitedError),
    )


async def _embedder_answers(connection: HTTPConnection) -> PartState:
    """Say whether a query would get its vector; without one, recall goes by keywords."""
    embedder: Embedder = connection.app.state.embedder
    try:
        async with asyncio.timeout(readiness.PATIENCE_S):
            await embedder.embed_query("ready")
    except (TimeoutError, EmbedderError):
        return "away"
    return "ok"


async def _collect(connection: HTTPConnection) -> None:
    """Read the gauges that are not kept up to date by themselves."""
    database: Database = connection.app.state.database
    metrics.set_pool(*database.pool_use())
    with suppress(TimeoutError, DatabaseUnavailableError):  # the other metrics still count
        async with asyncio.timeout(readiness.PATIENCE_S), database.transaction() as session:
            metrics.set_queue(await jobs.queue_depth(session))
            metrics.set_backlog(await jobs.backlog(session))
            today = clock.now().date()
            metrics.set_llm_usage(*await language_models.usage_across_tenants(session, today))
