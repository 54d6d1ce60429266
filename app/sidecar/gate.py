"""The token: asked for before a body is read."""

import hmac

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app.sidecar.errors import UnauthorizedError
from app.sidecar.settings import SidecarSettings, is_loopback


class Gate:
    """ASGI middleware that lets nobody reach /v1 without the token, where one is needed."""

    def __init__(self, app: ASGIApp, *, settings: SidecarSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"].startswith("/v1"):
            authorise(HTTPConnection(scope), self._settings)
        await self._app(scope, receive, send)


def authorise(connection: HTTPConnection, settings: SidecarSettings) -> None:
    """Raise ``UnauthorizedError`` unless the caller sent the token, or none is needed.

    None is needed when none is set and the connection came in by a loopback address, whatever
    address a setting or a command line named.
    """
    if settings.token is None:
        if came_by_loopback(connection):
            return
        msg = "Set APP_SIDECAR__TOKEN: beyond loopback a token is required."
        raise UnauthorizedError(msg)
    scheme, _, sent = connection.headers.get("authorization", "").partition(" ")
    token = settings.token.get_secret_value().encode()
    if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), token):
        msg = "Send the sidecar's token as `Authorization: Bearer TOKEN`."
        raise UnauthorizedError(msg)


def came_by_loopback(connection: HTTPConnection) -> bool:
    """Say whether the address the caller connected to is one of this machine only."""
    server = connection.scope.get("server")
    # No server: a test's transport. No port: a Unix socket.
    return server is None or server[1] is None or is_loopback(server[0])


async def guard_metrics(connection: HTTPConnection) -> None:
    """Ask for the token on /metrics too, but only beyond loopback."""
    if not came_by_loopback(connection):
        authorise(connection, connection.app.state.wing.settings)
