import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from app.launcher.embedded import EmbeddedPostgres
from app.launcher.errors import LaunchError
from app.launcher.processes import started_at, wait_until
from tests.launcher.live import ROOT, LiveServer, free_port

pytestmark = [pytest.mark.pg, pytest.mark.live]

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory, so that the cluster is made once."""
    return tmp_path_factory.mktemp("serve") / "data"


@pytest.fixture
def server(data_dir: Path) -> Generator[LiveServer]:
    live = LiveServer(data_dir)
    yield live
    with contextlib.suppress(AssertionError):
        if live.process.poll() is None:
            live.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    """A server that no test of this module harms."""
    live = LiveServer(tmp_path_factory.mktemp("running") / "data")
    live.start()
    yield live
    live.stop()


def _gone(pids: dict[str, int], timeout: float) -> bool:
    return wait_until(lambda: all(started_at(pid) is None for pid in pids.values()), timeout)


def _refusal(data_dir: Path, **settings: str) -> str:
    """Start a server that cannot start; return its one sentence."""
    live = LiveServer(data_dir, **settings)
    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve"],
        cwd=ROOT,
        env=live.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended
    sentence = ended.stderr.strip()
    assert sentence.startswith("Error: "), ended
    assert "\n" not in sentence
    return sentence


@linux
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_within_ten_seconds(server: LiveServer, signum: int) -> None:
    server.start()
    children = server.children()
    assert set(children) == {"sidecar", "api", "worker", "postgres"}

    took = server.stop(signum)

    assert took < 10
    assert server.process.returncode == 0
    assert _gone(children, 0.5)


def test_it_shows_where_it_is_and_the_key(running: LiveServer) -> None:
    assert running.api_key.startswith("rk_")
    assert running.api_key in running.said
    assert f"{running.url}/docs" in running.said
    assert (running.data_dir / "api_key").stat().st_mode & 0o777 == 0o600


@linux
def test_kill_9_of_the_launcher_leaves_nothing_and_the_next_start_recovers(
    server: LiveServer,
) -> None:
    server.start()
    children = server.children()

    key = server.api_key

    server.process.kill()
    server.process.wait()

    assert _gone(children, 10)
    server.start()
    assert server.is_ready
    assert server.api_key == key


@linux
def test_what_an_earlier_run_left_behind_is_stopped(server: LiveServer) -> None:
    # Stands for a child that outlived its parent, as on systems without a parent-death signal.
    code = "import time; 'app.main:create_app'; time.sleep(99)"
    left = subprocess.Popen([sys.executable, "-c", code])
    server.data_dir.mkdir(exist_ok=True)
    note = server.data_dir / "children.json"
    note.write_text(f'{{"api": [{left.pid}, "{started_at(left.pid)}"]}}')

    server.start()

    assert left.wait(5) == -signal.SIGTERM


@linux
def test_each_killed_part_is_started_again(server: LiveServer) -> None:
    server.start()

    for name, before in server.children().items():
        os.kill(before, signal.SIGKILL)

        def replaced(name: str = name, before: int = before) -> bool:
            return server.children().get(name, before) != before

        assert wait_until(replaced, 20), server.said
        assert wait_until(lambda: server.is_ready, 60), server.said


@linux
def test_everything_killed_at_once_recovers_at_the_next_start(server: LiveServer) -> None:
    server.start()
    children = server.children()

    for pid in (server.process.pid, *children.values()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.process.wait()
    assert _gone(children, 10)

    server.start()
    assert server.is_ready


def test_a_second_server_on_the_same_data_is_refused(running: LiveServer) -> None:
    assert "Another server is running" in _refusal(running.data_dir)
    assert running.is_ready


def test_a_port_in_use_is_refused(running: LiveServer, tmp_path: Path) -> None:
    sentence = _refusal(tmp_path / "other", APP_PORT=str(running.port))

    assert f"Port {running.port} on 127.0.0.1 is in use" in sentence
    assert not (tmp_path / "other" / "postgres").exists()


def test_an_unwritable_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "cannot be written to" in _refusal(tmp_path / "file" / "data")


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    assert "APP_PORT is wrong" in _refusal(tmp_path / "data", APP_PORT="http")


def test_a_malformed_key_is_refused_before_anything_starts(tmp_path: Path) -> None:
    said = _refusal(tmp_path / "data", APP_BOOTSTRAP_KEY="secret")

    assert "APP_BOOTSTRAP_KEY" in said
    assert not (tmp_path / "data" / "api_key").exists()


def test_an_absent_external_database_is_named(tmp_path: Path) -> None:
    url = f"postgresql://me:hush@127.0.0.1:{free_port()}/db"

    sentence = _refusal(tmp_path / "data", APP_DATABASE_URL=url)

    assert "cannot be reached" in sentence
    assert "hush" not in sentence


def test_a_newer_schema_is_refused_and_nothing_is_left_running(
    postgres: EmbeddedPostgres, database_name: str, tmp_path: Path
) -> None:
    url = postgres.owner_url(database_name)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    sentence = _refusal(tmp_path / "data", APP_DATABASE_URL=url)

    assert "newer than this release" in sentence
    assert not (tmp_path / "data" / "children.json").exists()


def test_an_external_database_without_pgvector_is_refused(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    postgres.ensure_database("bare")
    url = postgres.owner_url("bare")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE bare SET extension_control_path = '/nowhere'")

    assert "has no pgvector" in _refusal(tmp_path / "data", APP_DATABASE_URL=url)


@linux
def test_an_external_database_is_used_as_its_owner(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    postgres.ensure_database("external")
    live = LiveServer(tmp_path / "data", APP_DATABASE_URL=postgres.owner_url("external"))

    live.start()

    assert set(live.children()) == {"sidecar", "api", "worker"}
    assert live.is_ready
    live.stop()


@linux
def test_an_external_database_lets_the_application_in_with_the_given_password(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    postgres.ensure_database("external")
    with psycopg.connect(postgres.owner_url("external"), autocommit=True) as connection:
        connection.execute("ALTER ROLE remembrancer_app NOLOGIN")  # as on a server of one's own
    live = LiveServer(
        tmp_path / "data",
        APP_DATABASE_URL=postgres.app_url("external"),
        APP_MIGRATIONS__DATABASE_URL=postgres.owner_url("external"),
        APP_MIGRATIONS__APP_PASSWORD=postgres.password("app"),
    )

    live.start()

    assert live.is_ready
    live.stop()


def test_the_embedded_database_is_refused_while_a_server_runs(running: LiveServer) -> None:
    with pytest.raises(LaunchError, match="already running"):
        EmbeddedPostgres(running.data_dir).start()
