"""A whole server of a test, started as scripts/serve starts it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from app.launcher import health
from app.launcher.processes import command_of, started_at, wait_until

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveServer:
    """``python -m app.cli serve`` on a data directory of its own."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = data_dir
        self.output = data_dir.with_suffix(".out")
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """What the server is started with."""
        ours = {"APP_PORT": str(self.port), "APP_DATA_DIR": str(self.data_dir)}
        return {**os.environ, **ours, **self._settings}

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The launcher's process."""
        assert self._process is not None
        return self._process

    def launch(self) -> None:
        """Start it; do not wait."""
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def start(self, timeout: float = 120) -> None:
        """Start it and wait until it announces that it is ready."""
        self.launch()
        ended = self.process.poll
        assert wait_until(lambda: "API key" in self.said or ended() is not None, timeout), self.said
        assert ended() is None, self.said

    def stop(self, signum: int = signal.SIGTERM) -> float:
        """Stop it; return how many seconds that took."""
        began = time.monotonic()
        self.process.send_signal(signum)
        self.process.wait(30)
        return time.monotonic() - began

    @property
    def said(self) -> str:
        """What it has printed."""
        return self.output.read_text() if self.output.exists() else ""

    @property
    def api_key(self) -> str:
        """The key it made."""
        return (self.data_dir / "api_key").read_text().strip()

    @property
    def is_ready(self) -> bool:
        """Whether the api says so."""
        return health.ask("127.0.0.1", self.port).ready

    def children(self) -> dict[str, int]:
        """Return the process ids of its parts that live, by name."""
        return {
            name: int(pid)
            for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            .read_text()
            .split()
            if started_at(int(pid)) and (name := _part(command_of(int(pid))))
        }


def _part(command: str) -> str | None:
    marks = {
        "sidecar": "app.sidecar.main",
        "api": "app.main:",
        "worker": "app.cli worker",
        "postgres": "bin/postgres -D",
    }
    return next((name for name, mark in marks.items() if mark in command), None)
