"""A sidecar of our own for the time of a measurement."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
from pydantic import SecretStr


@contextmanager
def running_sidecar() -> Generator[tuple[str, SecretStr]]:
    """Yield base URL and token of a sidecar on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_urlsafe(24)
    environment = os.environ | {
        "APP_SIDECAR__TOKEN": token,
        "APP_SIDECAR__PORT": str(port),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    command = [sys.executable, "-m", "uvicorn", "app.sidecar.main:create_app", "--factory"]
    process = subprocess.Popen(  # noqa: S603  -- our own program
        [*command, "--port", str(port), "--log-level", "warning"], env=environment
    )
    try:
        _wait(f"http://127.0.0.1:{port}/healthz/ready")
        yield f"http://127.0.0.1:{port}/v1", SecretStr(token)
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    msg = "the sidecar did not get ready"
    raise RuntimeError(msg)
