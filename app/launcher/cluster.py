"""The files of the embedded server: cluster, socket, logs, and who may reach them."""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from app.launcher.account import Account
from app.launcher.binaries import MAJOR, Binaries
from app.launcher.errors import LaunchError
from app.launcher.files import write_private
from app.launcher.processes import run
from app.launcher.tuning import machine_memory, render, server_settings

OWNER_ROLE = "remembrancer_owner"
APP_ROLE = "remembrancer_app"
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_MAX = 100  # the system's limit is 104 to 108 bytes
_READY_LINE = 7


class Cluster:
    """``<data>/postgres``: ``data`` (the cluster), ``run`` (the socket), ``log``."""

    def __init__(self, home: Path, account: Account) -> None:
        self.home = home
        self.account = account
        self._handle: int | None = None
        # Ours, so that the server's account cannot put links where we write.
        home.mkdir(exist_ok=True)
        home.chmod(0o711 if account.switch else 0o700)
        for directory in (home / "run", home / "log"):
            self._own(directory)
        self._server_home = self._home_for_server()
        self.socket_dir = self._socket_directory()

    def _own(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        directory.chmod(0o700)
        self.account.give(directory)

    def _home_for_server(self) -> Path:
        """Return ``home`` as the server can name it.

        Below a private home of root's the server's account cannot walk the path; it gets the
        directory itself, as an open file. So the data need not leave the data directory.
        """
        if self.account.may_enter(self.home):
            return self.home
        if not Path("/proc/self/fd").is_dir():
            msg = (
                f"The database's user cannot reach {self.home}: open its parent directories "
                "(chmod o+x) or set APP_DATA_DIR to another place."
            )
            raise LaunchError(msg)
        self._handle = os.open(self.home, os.O_RDONLY | os.O_DIRECTORY)
        return Path(f"/proc/self/fd/{self._handle}")

    @property
    def pass_fds(self) -> tuple[int, ...]:
        """Open files that the server's processes need."""
        return () if self._handle is None else (self._handle,)

    def close(self) -> None:
        """Let go of open files."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    @property
    def data(self) -> Path:
        """The cluster, as we name it."""
        return self.home / "data"

    @property
    def server_data(self) -> Path:
        """The cluster, as the server names it."""
        return self._server_home / "data"

    @property
    def start_log(self) -> Path:
        """What the server says before its own log is open."""
        return self.home / "start.log"

    @property
    def exists(self) -> bool:
        """Whether a whole cluster is there.

        Raises:
            LaunchError: it is of another major version.
        """
        try:
            version = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return False
        if version != str(MAJOR):
            msg = f"{self.data} holds a PostgreSQL {version} cluster; this release runs {MAJOR}."
            raise LaunchError(msg)
        return True

    def environment(self) -> dict[str, str]:
        """Return the server's environment: nothing of ours but the search path."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def create(self, binaries: Binaries, password: str, *, durable: bool) -> None:
        """Make the cluster beside its place, then move it there: it is whole or absent."""
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        password_file = self.home / "pwfile"
        write_private(password_file, password)
        self.account.give(password_file)
        try:
            self._initdb(binaries, durable=durable)
        finally:
            password_file.unlink()
        draft.rename(self.data)

    def _initdb(self, binaries: Binaries, *, durable: bool) -> None:
        command: list[str | Path] = [binaries.initdb, "-D", self._server_home / "data.new"]
        command += ["-U", OWNER_ROLE, "--auth=scram-sha-256", "--data-checksums"]
        command += ["--pwfile", self._server_home / "pwfile", "--encoding=UTF8"]
        # The builtin provider sorts and folds alike on every system.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = run(
            command if durable else [*command, "--no-sync"],
            env=self.environment(),
            cwd="/",
            pass_fds=self.pass_fds,
            **self.account.popen_arguments(),
        )
        if made.returncode != 0:
            said = " ".join((made.stderr or made.stdout).split())
            msg = f"The database cluster could not be made in {self.home}: {said[-600:]}"
            raise LaunchError(msg)

    def configure(self, *, durable: bool) -> None:
        """Write the server's settings and who may connect."""
        settings = server_settings(machine_memory(), durable=durable)
        settings["unix_socket_directories"] = f"'{self._server_socket_dir()}'"
        self._write("postgresql.conf", render(settings))
        self._write("pg_hba.conf", "local all all scram-sha-256\n")

    def _write(self, name: str, text: str) -> None:
        write_private(self.data / name, text)
        self.account.give(self.data / name)

    def _server_socket_dir(self) -> Path:
        inside = self.home / "run"
        return self._server_home / "run" if self.socket_dir == inside else self.socket_dir

    def _socket_directory(self) -> Path:
        """Return the private directory of the socket; a short one where ours has a long path."""
        inside = self.home / "run"
        if _fits(inside):
            return inside
        note = self.home / "socket_dir"
        with contextlib.suppress(OSError):
            kept = Path(note.read_text())
            status = kept.lstat()
            if (
                _fits(kept)
                and status.st_uid == self.account.uid
                and status.st_mode & 0o777 == 0o700
            ):
                return kept
        made = self._temporary_directory()
        write_private(note, str(made))
        return made

    def _temporary_directory(self) -> Path:
        for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108  -- mkdtemp in it
            if self.account.may_enter(parent) and _fits(parent / "remembrancer-12345678"):
                made = Path(tempfile.mkdtemp(prefix="remembrancer-", dir=parent))
                self.account.give(made)
                return made
        msg = f"The path {self.home} is too long for a socket; set APP_DATA_DIR to a shorter one."
        raise LaunchError(msg)

    def _pid_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def is_ready(self, pid: int) -> bool:
        """Return whether the server with that process id takes connections."""
        lines = self._pid_lines()
        if len(lines) <= _READY_LINE or lines[0] != str(pid):
            return False
        return lines[_READY_LINE].strip() == "ready"

    def recorded_pid(self) -> int | None:
        """Return the process id a server of this cluster wrote down last."""
        lines = self._pid_lines()
        return int(lines[0]) if lines and re.fullmatch(r"\d+", lines[0]) else None

    def forget_pid(self) -> None:
        """Remove the records of a server that is gone.

        The next server would take another process with that pid for it, or a zombie of its own.
        Should parts of it live on, their shared memory still keeps the next one from starting.
        """
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_dir / f"{_SOCKET}.lock").unlink(missing_ok=True)

    def logs(self) -> list[Path]:
        """Return the server's log files, oldest first."""
        return sorted((self.home / "log").glob("postgresql-*.log"))

    def last_words(self, *, since: float) -> str:
        """Return what a server said that started at ``since`` (seconds of the epoch) and ended."""
        logs = [path for path in self.logs() if path.stat().st_mtime >= since]
        said = [path.read_text(errors="replace")[-4000:] for path in (*logs[-1:], self.start_log)]
        return "\n".join(said)

    def prune_logs(self, keep: int) -> None:
        """Remove all but the newest log files."""
        for path in self.logs()[:-keep]:
            path.unlink(missing_ok=True)


def _fits(directory: Path) -> bool:
    return len(os.fsencode(directory / _SOCKET)) < _SOCKET_PATH_MAX
