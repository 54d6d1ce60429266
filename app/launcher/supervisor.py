"""One command, a whole installation: starts every process, watches them, stops them together."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.kit.settings import Settings
from app.launcher import health, plan, ports
from app.launcher.children import Child, Command
from app.launcher.errors import LaunchError, Progress
from app.launcher.files import FileLock, make_directory, secret, write_private
from app.launcher.processes import command_of, started_at, stop_stranger
from app.launcher.signals import StopRequestedError, StopSignals
from app.tenants.kernel import is_well_formed

if TYPE_CHECKING:
    from app.launcher.embedded import EmbeddedPostgres

DATABASE = "remembrancer"
_LOOK_EVERY_S = 0.2
_PRUNE_EVERY_S = 600.0
_READY_TIMEOUT_S = 300.0
_TELL_EVERY_S = 5.0
_DEATHS_AT_START = 3
_STOP_BUDGET_S = 9.5
_LAST_STEPS_S = 1.2  # of the budget: for the database and the sidecar


class Supervisor:
    """Runs Postgres, sidecar, worker and api until asked to stop."""

    def __init__(self, settings: Settings, outside: Mapping[str, str], say: Progress) -> None:
        self._settings = settings
        self._outside = outside
        self._say = say
        self._data_dir = settings.data_dir.absolute()
        self._signals = StopSignals()
        self._postgres: EmbeddedPostgres | None = None
        self._children: list[Child] = []
        self._began = time.monotonic()
        self._postgres_due = 0.0
        self._ports: list[tuple[str, int]] = []  # of the servers to wait for, in that order
        self._lock = FileLock(
            self._data_dir / "serve.lock", f"Another server is running on {self._data_dir}."
        )

    def run(self) -> None:
        """Start, watch until a signal comes, stop.

        Raises:
            LaunchError: it cannot start; nothing is left running.
        """
        with self._signals:
            try:
                self._start()
                self._await_ready()
                self._announce()
                self._watch()
            except StopRequestedError as request:
                self._say(f"stopping ({request})")
            finally:
                self._signals.ignore()
                self._stop()

    def _start(self) -> None:
        settings = self._settings
        make_directory(self._data_dir, mode=0o711 if os.geteuid() == 0 else 0o700)
        self._lock.acquire()
        self._stop_leftovers()
        ports.check_free(settings.host, settings.port, "APP_PORT")
        api_key, token = self._api_key(), secret(self._data_dir / "sidecar_token")
        sidecar_port = self._sidecar_port()
        if sidecar_port is not None:  # first, because loading the model takes longest
            self._say("starting the sidecar (embeddings)")
            known = plan.Secrets(api_key, token, "")
            self._launch(plan.sidecar_command(settings, self._outside, known, sidecar_port))
            self._ports.append((plan.SIDECAR_HOST, sidecar_port))
        secrets = plan.Secrets(api_key, token, self._database())
        self._say("starting worker and api")
        for command in plan.service_commands(settings, self._outside, secrets, sidecar_port):
            self._launch(command)
        self._ports.append((ports.reachable_host(settings.host), settings.port))

    def _api_key(self) -> str:
        path = self._data_dir / "api_key"
        preset = self._settings.bootstrap_key
        if preset is None:
            return secret(path, prefix="rk_")
        if not is_well_formed(preset.get_secret_value()):
            msg = "APP_BOOTSTRAP_KEY must be rk_ and 16 to 200 letters, digits, '-' or '_'."
            raise LaunchError(msg)
        write_private(path, preset.get_secret_value() + "\n")
        return preset.get_secret_value()

    def _sidecar_port(self) -> int | None:
        """Return the port for our sidecar; ``None`` if another embedder is set."""
        if "APP_EMBEDDINGS__URL" in self._outside:
            return None
        asked = self._outside.get("APP_SIDECAR__PORT")
        if asked is None:
            return ports.free_port(plan.SIDECAR_HOST, plan.SIDECAR_PORT)
        if not asked.isdecimal():
            msg = f"APP_SIDECAR__PORT is {asked!r}, not a port."
            raise LaunchError(msg)
        ports.check_free(plan.SIDECAR_HOST, int(asked), "APP_SIDECAR__PORT")
        return int(asked)

    def _database(self) -> str:
        """Have a database with the newest schema; return the URL for api and worker."""
        from app.launcher import migrations  # noqa: PLC0415  -- slow to import: after the sidecar

        if self._settings.database_url is not None:
            self._say("migrating the database")
            owner_url = self._settings.migrations_url()
            migrations.upgrade(owner_url)
            if (password := self._settings.migrations.app_password) is not None:
                migrations.allow_app_login(owner_url, password.get_secret_value())
            return self._settings.required_database_url()
        from app.launcher.embedded import EmbeddedPostgres  # noqa: PLC0415

        self._say("starting the database")
        self._postgres = EmbeddedPostgres(self._data_dir, progress=self._say)
        self._postgres.start()
        self._postgres.ensure_database(DATABASE)
        owner_url = self._postgres.owner_url(DATABASE)
        self._say("migrating the database")
        migrations.upgrade(owner_url)
        migrations.allow_app_login(owner_url, self._postgres.password("app"))
        return self._postgres.app_url(DATABASE)

    def _launch(self, command: Command) -> None:
        child = Child(command)
        with self._signals.held():
            self._children.append(child)
            child.start()
            self._record()

    def _await_ready(self) -> None:
        """Wait until sidecar and api are ready; what is away after long is told.

        Raises:
            LaunchError: a child does not start, or the api never answers.
        """
        state = health.Health(live=False, ready=False)
        for host, port in self._ports:
            state = self._await_server(host, port)
        if not state.live:
            msg = f"The api did not answer within {_READY_TIMEOUT_S:.0f} s."
            raise LaunchError(msg)
        if not state.whole:
            self._say(f"serving, but not yet whole: {', '.join(state.missing) or 'not ready'}")

    def _await_server(self, host: str, port: int) -> health.Health:
        """Wait until a server is ready and return its state, whatever it is when time is up."""
        told = time.monotonic()
        while True:
            state = health.ask(host, port)
            now = time.monotonic()
            # Another's embedder may stay away for long; ours is there by now.
            if state.whole or (state.ready and now - told > _TELL_EVERY_S):
                return state
            if now - self._began > _READY_TIMEOUT_S:
                return state
            self._mend()
            self._give_up_on_the_dying()
            if now - told > _TELL_EVERY_S:
                waited = ", ".join(state.missing) or self._name_of(port)
                self._say(f"waiting for {waited} ({now - self._began:.0f} s)")
                told = now
            time.sleep(0.1)

    def _name_of(self, port: int) -> str:
        return "the api" if port == self._settings.port else "the sidecar to load its model"

    def _give_up_on_the_dying(self) -> None:
        for child in self._children:
            if child.deaths >= _DEATHS_AT_START:
                msg = (
                    f"The {child.name} does not start (exit code {child.exit_code}); "
                    "its messages stand above."
                )
                raise LaunchError(msg)

    def _announce(self) -> None:
        url = ports.http_url(self._settings.host, self._settings.port)
        key_file = self._data_dir / "api_key"
        self._say(f"ready after {time.monotonic() - self._began:.1f} s")
        self._say(f"  API      {url}")
        self._say(f"  Docs     {url}/docs")
        self._say(f"  API key  {key_file.read_text().strip()}  (kept in {key_file})")
        self._say("Ctrl-C stops it.")

    def _watch(self) -> None:
        pruned = time.monotonic()
        while True:
            self._mend()
            if self._postgres is not None and time.monotonic() - pruned > _PRUNE_EVERY_S:
                self._postgres.prune_logs()
                pruned = time.monotonic()
            time.sleep(_LOOK_EVERY_S)

    def _mend(self) -> None:
        """Start again whatever ended."""
        self._mend_postgres()
        for child in self._children:
            if child.notice_death():
                self._say(
                    f"the {child.name} ended (exit code {child.exit_code}); starting it again"
                )
            if child.is_due:
                with self._signals.held():
                    child.start()
                    self._record()

    def _mend_postgres(self) -> None:
        postgres = self._postgres
        if postgres is None or postgres.is_running or time.monotonic() < self._postgres_due:
            return
        self._say("the database ended; starting it again")
        try:
            postgres.start()
        except LaunchError as error:
            self._say(str(error))
        self._postgres_due = time.monotonic() + 2

    def _record(self) -> None:
        """Write down who our children are, for a start after a crash of ours."""
        alive = {
            child.name: [child.pid, started_at(child.pid)]
            for child in self._children
            if child.pid is not None
        }
        write_private(self._data_dir / "children.json", json.dumps(alive))

    def _stop_leftovers(self) -> None:
        """Stop what an earlier run of ours left behind when it was killed."""
        try:
            recorded = json.loads((self._data_dir / "children.json").read_text())
            leftovers = [(name, int(pid), str(token)) for name, (pid, token) in recorded.items()]
        except (FileNotFoundError, ValueError, AttributeError, TypeError):
            return
        for name, pid, token in leftovers:
            if started_at(pid) == token and "app." in command_of(pid):
                self._say(f"stopping the {name} that an earlier run left behind")
                stop_stranger(pid, token, ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)))

    def _stop(self) -> None:
        """Stop api and worker, which may need the others to finish; then those."""
        deadline = time.monotonic() + _STOP_BUDGET_S
        clients = [child for child in self._children if child.name != "sidecar"]
        sidecars = [child for child in self._children if child.name == "sidecar"]
        for child in clients:
            child.ask_to_stop()
        for child in clients:
            child.await_end(deadline - _LAST_STEPS_S)
        for child in sidecars:
            child.ask_to_stop()
        if self._postgres is not None:
            self._postgres.stop(max(0.5, deadline - time.monotonic() - 0.5))
        for child in sidecars:
            child.await_end(deadline)
        with contextlib.suppress(OSError):
            (self._data_dir / "children.json").unlink(missing_ok=True)
        self._lock.release()
