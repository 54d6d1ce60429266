"""A whole installation that is meant to be killed: its processes, its database, its end."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, Self
from urllib.parse import quote

import psycopg

from app.launcher.cluster import OWNER_ROLE
from app.launcher.processes import command_of, started_at, wait_until
from app.launcher.supervisor import DATABASE
from tests.launcher.live import ROOT, LiveServer, free_port

_GONE_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Process:
    """One process for good: a pid is reused, the pair is not."""

    pid: int
    token: str
    command: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Return the process that has this pid now; ``None`` if there is none."""
        token = started_at(pid)
        return None if token is None else cls(pid, token, command_of(pid)[:80])

    @property
    def lives(self) -> bool:
        """Whether it still runs."""
        return started_at(self.pid) == self.token

    def kill(self) -> None:
        """Send SIGKILL, unless it ended meanwhile."""
        if self.lives:
            os.kill(self.pid, signal.SIGKILL)


class Installation(LiveServer):
    """``python -m app.cli serve`` with its own data and ports, and a memory of its processes."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        ports = {"APP_SIDECAR__PORT": str(free_port())}
        super().__init__(data_dir, **{"APP_LOG__LEVEL": "warning", **ports, **settings})
        self._ever: set[Process] = set()
        self._starts = 0

    def launch(self) -> None:
        """Start it with a fresh file for what it says; do not wait."""
        self._starts += 1
        self.output = self.data_dir.with_suffix(f".{self._starts}.out")
        super().launch()

    def family(self) -> set[Process]:
        """Return the supervisor and all processes below it that live now."""
        found = {one for pid in _below(self.process.pid) if (one := Process.of(pid))}
        self._ever |= found
        return found

    def part(self, name: str) -> Process:
        """Return the process of one part: ``api``, ``worker``, ``sidecar`` or ``postgres``."""
        self.family()
        found = Process.of(self.children()[name])
        assert found is not None
        return found

    def backend(self, choice: float) -> Process:
        """Return a server process that works for us; ``choice`` in [0, 1) says which."""
        self.family()
        with self.database() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid() ORDER BY pid"
            ).fetchall()
        found = Process.of(rows[int(choice * len(rows))][0])
        assert found is not None
        return found

    def environment_of(self, name: str) -> dict[str, str]:
        """Return what one of its parts was started with."""
        raw = Path(f"/proc/{self.part(name).pid}/environ").read_text()
        return dict(entry.split("=", 1) for entry in raw.split("\0") if "=" in entry)

    def second_worker(self) -> subprocess.Popen[bytes]:
        """Start another worker beside the supervisor's."""
        environment = self.environment_of("worker")
        with self.data_dir.with_suffix(".worker.out").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "app.cli", "worker"],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    @contextmanager
    def database(self) -> Generator[psycopg.Connection[Any]]:
        """Connect as the owner of the tables, who looks past row-level security."""
        home = self.data_dir / "postgres"
        note = home / "socket_dir"
        directory = note.read_text() if note.exists() else str(home / "run")
        password = (self.data_dir / "secrets" / "owner_password").read_text().strip()
        url = f"postgresql://{OWNER_ROLE}:{password}@/{DATABASE}?host={quote(directory, safe='/')}"
        with psycopg.connect(url, port=5432, autocommit=True, connect_timeout=10) as connection:
            yield connection

    def count(self, query: LiteralString) -> int:
        """Return the one number that a query yields."""
        with self.database() as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def end(self) -> list[str]:
        """Stop it; return what was left running, after killing it."""
        if self.process.poll() is None:
            self.family()
            self.stop()
        left = self.still_there(self._ever) + _users_of(self.data_dir)
        for process in left:
            process.kill()
        return [f"{process.pid} {process.command}" for process in left]

    def still_there(self, processes: Iterable[Process]) -> list[Process]:
        """Return those of the processes that do not go away, after a while of patience."""
        watched = list(processes)
        wait_until(lambda: not any(one.lives for one in watched), _GONE_WITHIN_S)
        return [one for one in watched if one.lives]


def _below(pid: int) -> Generator[int]:
    yield pid
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = listing.read_text().split()
        except OSError:  # the thread ended meanwhile
            continue
        for child in children:
            yield from _below(int(child))


def _users_of(data_dir: Path) -> list[Process]:
    """Return processes that were started for this data directory, whoever their parent is."""
    mark = f"APP_DATA_DIR={data_dir}\0".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = mark in (entry / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue
        if is_ours and (process := Process.of(int(entry.name))):
            found.append(process)
    return found
