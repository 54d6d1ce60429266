"""PostgreSQL with pgvector from the installed wheel, reachable only through a private socket."""

import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from app.launcher.account import server_account
from app.launcher.binaries import Binaries, find_binaries
from app.launcher.cluster import APP_ROLE, OWNER_ROLE, Cluster
from app.launcher.errors import LaunchError, Progress, silent
from app.launcher.files import FileLock, make_directory, open_private, secret
from app.launcher.processes import (
    command_of,
    spawn,
    started_at,
    stop_child,
    stop_stranger,
)

START_TIMEOUT_S = 600.0  # crash recovery of a large database takes minutes
_STOP_TIMEOUT_S = 6.0
_KEPT_LOGS = 5


class EmbeddedPostgres:
    """One PostgreSQL server on one data directory.

    It stops when the process that started it dies (Linux), and its start stops a server that an
    earlier launcher left behind.
    """

    def __init__(
        self, data_dir: Path, *, durable: bool = True, progress: Progress = silent
    ) -> None:
        self._data_dir = Path(os.path.abspath(data_dir))  # noqa: PTH100  -- keeps symlinks short
        self._durable = durable
        self._progress = progress
        self._server: subprocess.Popen[bytes] | None = None
        self._cluster: Cluster | None = None
        self._binaries: Binaries | None = None
        self._lock = FileLock(
            self._data_dir / "postgres.lock",
            f"The database in {self._data_dir} is already running under another launcher.",
        )

    def start(self, timeout: float = START_TIMEOUT_S) -> None:
        """Start the server, making the cluster first if there is none; return when it is ready.

        Raises:
            LaunchError: it cannot run here, or another launcher runs it.
        """
        if self.is_running:
            return
        make_directory(self._data_dir, mode=0o711 if os.geteuid() == 0 else 0o700)
        self._lock.acquire()
        try:
            self._prepare()
            self._launch(time.monotonic() + timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = _STOP_TIMEOUT_S) -> None:
        """Stop the server: fast, then at once if that takes longer than ``timeout`` seconds."""
        if self._server is not None:
            steps = ((signal.SIGINT, timeout), (signal.SIGQUIT, 2), (signal.SIGKILL, 2))
            stop_child(self._server, steps)
            self._server = None
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None
        self._lock.release()

    @property
    def is_running(self) -> bool:
        """Whether our server process lives."""
        return self._server is not None and self._server.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the server; ``None`` when it does not run."""
        return self._server.pid if self._server is not None and self.is_running else None

    def owner_url(self, database: str) -> str:
        """Return the URL for the owner of the tables (the server's superuser)."""
        return self._url(OWNER_ROLE, self.password("owner"), database)

    def app_url(self, database: str) -> str:
        """Return the URL for the application's role."""
        return self._url(APP_ROLE, self.password("app"), database)

    def password(self, whose: str) -> str:
        """Return the generated password of ``owner`` or ``app``."""
        secrets = make_directory(self._data_dir / "secrets")
        return secret(secrets / f"{whose}_password")

    def ensure_database(self, name: str) -> None:
        """Create the database if there is none of that name."""
        with psycopg.connect(self.owner_url("postgres"), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, (name,)).fetchone() is None:
                statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
                connection.execute(statement)

    def prune_logs(self) -> None:
        """Remove all but the newest log files."""
        if self._cluster is not None:
            self._cluster.prune_logs(_KEPT_LOGS)

    def _url(self, role: str, password: str, database: str) -> str:
        if self._cluster is None:
            msg = "The embedded database is not running."
            raise LaunchError(msg)
        directory = quote(str(self._cluster.socket_dir), safe="/")
        # The port stands there because PGPORT in the environment would rename the socket.
        return f"postgresql://{role}:{password}@/{quote(database)}?host={directory}&port=5432"

    def _prepare(self) -> None:
        """Have a cluster that no server runs on, and its settings written."""
        account = server_account(self._data_dir / "postgres" / "data")
        binaries = find_binaries(account, self._progress)
        if self._cluster is not None:  # we start again after a crash
            self._cluster.close()
        cluster = Cluster(self._data_dir / "postgres", account)
        self._cluster, self._binaries = cluster, binaries
        if not cluster.exists:
            self._progress("making the database cluster")
            cluster.create(binaries, self.password("owner"), durable=self._durable)
        elif not (self._data_dir / "secrets" / "owner_password").exists():
            msg = f"The file {self._data_dir}/secrets/owner_password is missing; put it back."
            raise LaunchError(msg)
        _stop_leftover(cluster, self._progress)
        cluster.configure(durable=self._durable)
        cluster.prune_logs(_KEPT_LOGS)

    def _launch(self, deadline: float) -> None:
        """Start the server; again while remains of a killed one still hold the memory."""
        while True:
            said = self._start_once(deadline)
            if said is None:
                return
            if "still in use" not in said or time.monotonic() > deadline:
                msg = f"The embedded database did not start: {_last_line(said)}"
                raise LaunchError(msg)
            time.sleep(0.3)

    def _start_once(self, deadline: float) -> str | None:
        """Start the server and wait; return ``None`` when ready, else what it said."""
        if self._cluster is None or self._binaries is None:
            msg = "prepare first"
            raise RuntimeError(msg)
        cluster = self._cluster
        with open_private(cluster.start_log) as log:
            self._server = spawn(
                [self._binaries.postgres, "-D", cluster.server_data],
                env=cluster.environment(),
                output=log,
                when_parent_dies=signal.SIGINT,
                pass_fds=cluster.pass_fds,
                **cluster.account.popen_arguments(),
            )
        began, told = time.time(), time.monotonic()
        while not cluster.is_ready(self._server.pid):
            if self._server.poll() is not None:
                return cluster.last_words(since=began)
            now = time.monotonic()
            if now > deadline:
                return "it was not ready in time"
            if now - told > 5:
                self._progress("waiting for the database (it may be recovering from a crash)")
                told = now
            time.sleep(0.02)
        return None


def _stop_leftover(cluster: Cluster, progress: Progress) -> None:
    """Stop a server that an earlier launcher left behind, and forget it."""
    pid = cluster.recorded_pid()
    if pid is None:
        return
    token = started_at(pid)
    if token is None or "postgres" not in command_of(pid):
        cluster.forget_pid()
        return
    progress("stopping the database that an earlier run left behind")
    steps = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
    if not stop_stranger(pid, token, steps):
        msg = f"The database server of an earlier run (process {pid}) does not stop."
        raise LaunchError(msg)
    cluster.forget_pid()


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line]
    return (fatal or lines or ["it said nothing."])[-1].strip()
