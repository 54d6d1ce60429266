"""A child process that is started again when it ends."""

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.launcher.processes import signal_quietly, spawn

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_STEADY_S = 30.0  # a child that lived so long starts with a clean record


@dataclass(frozen=True)
class Command:
    """What a child runs, with the whole of its environment."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)  # it holds secrets


class Child:
    """One child: started, watched, started again with growing delays."""

    def __init__(self, command: Command) -> None:
        self.name = command.name
        self.deaths = 0  # in a row, each soon after a start
        self.exit_code: int | None = None
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due = 0.0

    @property
    def pid(self) -> int | None:
        """Process id; ``None`` when it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it."""
        self._process = spawn(
            self._command.arguments,
            env=self._command.environment,
            output=None,
            when_parent_dies=signal.SIGKILL,  # a crash of ours: nothing is left to drain for
        )
        self._started = time.monotonic()

    def notice_death(self) -> bool:
        """Return whether it ended since we last looked; plans its next start."""
        if self._process is None or self._process.poll() is None:
            return False
        self.exit_code = self._process.returncode
        self._process = None
        now = time.monotonic()
        if now - self._started > _STEADY_S:
            self.deaths = 0
        self.deaths += 1
        self._due = now + min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** (self.deaths - 1))
        return True

    @property
    def is_due(self) -> bool:
        """Whether it is down and may be started again now."""
        return self._process is None and time.monotonic() >= self._due

    def ask_to_stop(self) -> None:
        """Ask it to finish what it does and end."""
        if self._process is not None:
            signal_quietly(self._process.pid, signal.SIGTERM)

    def await_end(self, deadline: float) -> None:
        """Wait for its end until ``deadline`` (monotonic seconds); then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
