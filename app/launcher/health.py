"""Asks a server whether it is ready."""

import http.client
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """What a server said: ``live`` if it answered, ``ready`` if it can work, if less well."""

    live: bool
    ready: bool
    missing: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it is ready and no part is away."""
        return self.ready and not self.missing


def ask(host: str, port: int, *, timeout: float = 2) -> Health:
    """Ask ``/healthz/ready``; no answer is an answer."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", "/healthz/ready")
        answer = connection.getresponse()
        body = answer.read(65_536)
    except (OSError, http.client.HTTPException):
        return Health(live=False, ready=False)
    finally:
        connection.close()
    return Health(live=True, ready=answer.status == http.client.OK, missing=_missing(body))


def _missing(body: bytes) -> tuple[str, ...]:
    """Return the parts that the answer does not call ok."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ()
    parts = answer.get("parts") if isinstance(answer, dict) else None
    if not isinstance(parts, dict):
        return ()
    return tuple(sorted(name for name, state in parts.items() if state != "ok"))
