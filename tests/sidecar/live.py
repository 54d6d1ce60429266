"""A sidecar in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

_PATIENCE_S = 120


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveSidecar:
    """``python -m app.sidecar`` with the given environment."""

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.sidecar"],
                env={**os.environ, "APP_SIDECAR__PORT": str(self.port), **environment},
                cwd=Path(__file__).parents[2],
                stdout=output,
                stderr=output,
            )

    @property
    def said(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def wait_until_ready(self) -> None:
        """Wait for /healthz/ready."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.said
            try:
                if httpx.get(f"{self.url}/healthz/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(self.said)

    def resident_bytes(self) -> int:
        """Return the memory it holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def stop(self) -> int:
        """Stop it; return its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=30)
