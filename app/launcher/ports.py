"""TCP ports: whether one is free, and how a client reaches one."""

import errno
import socket

from app.launcher.errors import LaunchError

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  -- compared, not bound


def check_free(host: str, port: int, setting: str) -> None:
    """See that we can listen there.

    Raises:
        LaunchError: we cannot; the sentence names the setting to change.
    """
    try:
        _bind(host, port).close()
    except socket.gaierror as error:
        msg = f"The address {host} is unknown; set APP_HOST to an address of this machine."
        raise LaunchError(msg) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            msg = f"Port {port} on {host} is in use; free it or set {setting} to another port."
        else:
            msg = f"Port {port} on {host} cannot be listened on: {error.strerror}."
        raise LaunchError(msg) from error


def free_port(host: str, preferred: int) -> int:
    """Return the preferred port if it is free, else any free one."""
    for port in (preferred, 0):
        try:
            with _bind(host, port) as bound:
                return int(bound.getsockname()[1])
        except OSError:
            continue
    msg = f"There is no free port on {host}."
    raise LaunchError(msg)


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def reachable_host(host: str) -> str:
    """Return an address at which this machine reaches a server that listens on ``host``."""
    return _ANY.get(host, host)


def http_url(host: str, port: int) -> str:
    """Return the URL of a server that listens on ``host``."""
    name = reachable_host(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
