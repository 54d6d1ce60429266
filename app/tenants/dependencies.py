"""Who calls, and a transaction that sees the caller's tenant only."""

import ipaddress
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, cast

from fastapi import Depends, Request, Response, Security
from fastapi.security import (
    APIKeyHeader,
    HTTPAuthorizationCredentials,
    HTTPBearer,
    SecurityScopes,
)
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as HttpScope

from app.kit import clock
from app.kit.database import Database
from app.kit.rate_limit import TokenBuckets
from app.kit.settings import Settings
from app.tenants.errors import MissingKeyError, MissingScopeError, RateLimitedError
from app.tenants.schemas import Principal
from app.tenants.service import KeyRing

PROTECTED_PREFIX = "/v1/"
"""Every path below it needs a key, whatever route it leads to."""

_bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", description="`Authorization: Bearer KEY`"
)
_header = APIKeyHeader(
    name="X-API-Key", auto_error=False, scheme_name="api_key", description="`X-API-Key: KEY`"
)


async def get_settings(request: Request) -> Settings:
    """Return the settings the process was started with."""
    return cast(Settings, request.app.state.settings)


async def get_database(request: Request) -> Database:
    """Return the pool; for routes that call the outside between short transactions."""
    return cast(Database, request.app.state.database)


async def get_key_ring(request: Request) -> KeyRing:
    """Return the memory of keys, to make it forget one."""
    return cast(KeyRing, request.app.state.key_ring)


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
KeyRingDep = Annotated[KeyRing, Depends(get_key_ring)]


def _presented(headers: Mapping[str, str]) -> str:
    """Return the key a request carries."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    key = headers.get("x-api-key", "").strip()
    if not key:
        raise MissingKeyError
    return key


async def _identify(connection: HTTPConnection) -> Principal:
    """Return the caller, once a request: find the key, count the request towards its rate."""
    state = connection.state
    known: Principal | None = getattr(state, "principal", None)
    if known is not None:
        return known
    key_ring: KeyRing = connection.app.state.key_ring
    principal = await key_ring.find(_presented(connection.headers), clock.now())
    if principal.requests_per_minute:
        buckets: TokenBuckets = connection.app.state.buckets
        allowance = buckets.draw(
            principal.key_id, per_minute=principal.requests_per_minute, now_s=time.monotonic()
        )
        state.rate_headers = allowance.headers()
        if not allowance.passes:
            raise _rate_limited(principal.requests_per_minute, allowance.retry_after_s, state)
    state.principal = principal
    return principal


def _rate_limited(limit: int, seconds: float, state: object) -> Exception:
    problem = RateLimitedError(f"This key may send {limit} requests a minute.", limit=limit)
    problem.headers.update(getattr(state, "rate_headers", {}))
    return problem.retry_after(seconds)


class Gate:
    """Refuses a caller without a valid key before the request's body is read and parsed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: HttpScope, receive: Receive, send: Send) -> None:
        """Let the request pass if its path is open or its key is good."""
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED_PREFIX):
            await _identify(HTTPConnection(scope))
        await self.app(scope, receive, send)


async def authenticate(request: Request, response: Response) -> Principal:
    """Return the caller, whatever its scopes."""
    principal = await _identify(request)
    response.headers.update(getattr(request.state, "rate_headers", {}))
    return principal


PrincipalDep = Annotated[Principal, Depends(authenticate)]


async def require(
    needed: SecurityScopes,
    principal: PrincipalDep,
    _bearer_key: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    _header_key: Annotated[str | None, Depends(_header)],
) -> Principal:
    """Return the caller if its key has the scopes that the route asks for.

    Raises:
        MissingScopeError: it has not.
    """
    for scope in needed.scopes:
        if scope not in principal.scopes:
            raise MissingScopeError.of(scope)
    return principal


ReaderDep = Annotated[Principal, Security(require, scopes=["read"])]
WriterDep = Annotated[Principal, Security(require, scopes=["write"])]
AdminDep = Annotated[Principal, Security(require, scopes=["admin"])]
OperatorDep = Annotated[Principal, Security(require, scopes=["operator"])]


async def get_session(
    database: DatabaseDep, principal: PrincipalDep
) -> AsyncGenerator[AsyncSession]:
    """Open a transaction that sees the caller's tenant; commit before the response is sent."""
    async with database.transaction(tenant_id=principal.tenant_id) as session:
        yield session


# Without scope="function" the commit would come after the response: a 201 for nothing stored.
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]


async def guard_metrics(request: Request, settings: SettingsDep) -> None:
    """Ask for an admin key unless the api listens on loopback or metrics are open by setting."""
    if settings.metrics_open or _is_loopback(settings.host):
        return
    principal = await _identify(request)
    needed = "admin"
    if needed not in principal.scopes:
        raise MissingScopeError.of(needed)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
