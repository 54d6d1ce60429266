import contextlib
import os
import shutil
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from app.launcher.account import server_account
from app.launcher.embedded import EmbeddedPostgres
from app.launcher.errors import LaunchError
from app.launcher.processes import started_at, wait_until

pytestmark = pytest.mark.pg


@pytest.fixture(scope="module")
def cluster_dir() -> Generator[Path]:
    """A data directory with a cluster that no server runs on."""
    with _open_directory() as parent:
        server = EmbeddedPostgres(parent / "data", durable=False)
        server.start()
        server.stop()
        yield parent / "data"


@pytest.fixture
def server(cluster_dir: Path) -> Generator[EmbeddedPostgres]:
    started = EmbeddedPostgres(cluster_dir, durable=False)
    started.start()
    yield started
    started.stop()


@contextlib.contextmanager
def _open_directory(mode: int = 0o711) -> Generator[Path]:
    """Yield a directory that the server's user can pass through, unlike pytest's."""
    parent = Path(tempfile.mkdtemp(prefix="rt-"))
    parent.chmod(mode)
    yield parent
    shutil.rmtree(parent)


def _ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _inet_sockets_of(pid: int) -> set[str]:
    links = [str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links}
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6"), Path("/proc/net/udp")]
    lines = [line for table in tables for line in table.read_text().splitlines()[1:]]
    return inodes & {line.split()[9] for line in lines}


def test_it_keeps_what_was_committed_over_a_restart(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.owner_url("postgres")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")

    server.stop()
    server.start()

    assert _ask(server.owner_url("postgres"), "SELECT n FROM kept") == 7


def test_it_is_postgres_18_with_pgvector_in_utf8(server: EmbeddedPostgres) -> None:
    url = server.owner_url("postgres")

    assert str(_ask(url, "SHOW server_version")).startswith("18.")
    assert _ask(url, "SHOW data_checksums") == "on"
    assert _ask(url, "SHOW server_encoding") == "UTF8"
    assert _ask(url, "SELECT lower('ÄÉ')") == "äé"
    assert _ask(url, "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 1


def test_it_recovers_from_kill_9(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.owner_url("postgres")) as connection:
        connection.execute("CREATE TABLE survived AS SELECT 8 AS n")
        connection.commit()
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: not server.is_running, 5)

    server.start()

    assert _ask(server.owner_url("postgres"), "SELECT n FROM survived") == 8


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    right = server.owner_url("postgres")

    wrong = right.replace(server.password("owner"), "guess")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(right.replace(f":{server.password('owner')}", ""))


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc")
def test_it_listens_on_no_network_port(server: EmbeddedPostgres) -> None:
    assert server.pid is not None

    assert not _inet_sockets_of(server.pid)
    assert _ask(server.owner_url("postgres"), "SHOW listen_addresses") == ""


def test_only_the_owner_reads_its_files(server: EmbeddedPostgres, cluster_dir: Path) -> None:
    def mode(path: str) -> int:
        return stat.S_IMODE((cluster_dir / path).stat().st_mode)

    assert mode("postgres/data") == mode("postgres/run") == mode("postgres/log") == 0o700
    assert server.app_url("postgres")
    assert mode("secrets") == 0o700
    assert mode("secrets/owner_password") == mode("secrets/app_password") == 0o600
    assert mode("postgres/start.log") == 0o600
    assert mode("postgres/data/pg_hba.conf") == 0o600


def test_it_does_not_run_as_root(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_failed_statements_leave_no_text_in_its_log(
    server: EmbeddedPostgres, cluster_dir: Path
) -> None:
    with psycopg.connect(server.owner_url("postgres"), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT 'my secret diary'::integer")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM diary WHERE text = 'my secret diary'")
    server.stop()

    logs = [path.read_text() for path in (cluster_dir / "postgres" / "log").iterdir()]

    assert any("shut down" in log for log in logs)
    assert not any("diary" in log for log in logs)


def test_a_second_launcher_is_refused(server: EmbeddedPostgres, cluster_dir: Path) -> None:
    with pytest.raises(LaunchError, match="already running under another launcher"):
        EmbeddedPostgres(cluster_dir).start()
    assert server.is_running


def test_a_server_left_behind_is_replaced(server: EmbeddedPostgres, cluster_dir: Path) -> None:
    left = server.pid
    assert left is not None
    server._lock.release()  # as the system does when the launcher is killed
    successor = EmbeddedPostgres(cluster_dir, durable=False)

    successor.start()

    assert started_at(left) is None
    assert successor.pid != left
    successor.stop()


def test_a_stale_pid_file_of_another_process_is_no_obstacle(cluster_dir: Path) -> None:
    record = cluster_dir / "postgres" / "data" / "postmaster.pid"
    record.write_text(f"{os.getpid()}\n{record.parent}\n1\n5432\n\n\n\nready\n")
    record.chmod(0o600)
    server = EmbeddedPostgres(cluster_dir, durable=False)

    server.start()

    assert server.is_running
    server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="makes a zombie and looks for it in /proc")
def test_a_dead_server_that_nobody_reaped_is_no_obstacle(server: EmbeddedPostgres) -> None:
    zombie = server.pid
    assert zombie is not None
    os.kill(zombie, signal.SIGKILL)
    assert wait_until(lambda: started_at(zombie) is None, 5)
    unreaped = server._server
    server.__dict__["_server"] = None

    server.start()

    assert Path(f"/proc/{zombie}").exists()
    assert server.is_running
    assert unreaped is not None
    unreaped.wait()


def test_a_long_path_gets_its_socket_elsewhere() -> None:
    with _open_directory() as parent:
        server = EmbeddedPostgres(parent / ("long" * 30), durable=False)
        server.start()
        first = server.owner_url("postgres")
        assert _ask(first, "SELECT 1") == 1
        directory = Path(first.partition("?host=")[2].partition("&")[0])
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        server.stop()

        server.start()

        assert server.owner_url("postgres") == first
        server.stop()
        shutil.rmtree(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_data_below_a_private_home_of_root_stay_there() -> None:
    with _open_directory(0o700) as home:
        server = EmbeddedPostgres(home / "data", durable=False)

        server.start()

        assert not server_account(home / "none").may_enter(home)
        assert _ask(server.owner_url("postgres"), "SELECT 1") == 1
        assert (home / "data" / "postgres" / "data" / "PG_VERSION").exists()
        server.stop()


def test_another_major_version_is_named(cluster_dir: Path) -> None:
    version = cluster_dir / "postgres" / "data" / "PG_VERSION"
    kept = version.read_text()
    version.write_text("16\n")

    with pytest.raises(LaunchError, match="PostgreSQL 16"):
        EmbeddedPostgres(cluster_dir).start()

    version.write_text(kept)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LaunchError, match="cannot be written to"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


def test_the_socket_is_the_only_way_in(server: EmbeddedPostgres) -> None:
    directory = server.owner_url("postgres").partition("?host=")[2].partition("&")[0]

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{directory}/.s.PGSQL.5432")

    assert stat.S_IMODE(Path(f"{directory}/.s.PGSQL.5432").stat().st_mode) == 0o700
