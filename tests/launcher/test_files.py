import stat
from pathlib import Path

import pytest

from app.launcher.errors import LaunchError
from app.launcher.files import FileLock, make_directory, secret, write_private


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "key"

    first = secret(path, prefix="rk_")

    assert first.startswith("rk_")
    assert len(first) > 40
    assert secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_private_file_replaces_an_open_one(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)

    write_private(path, "new")

    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_is_held_once_and_given_back(tmp_path: Path) -> None:
    first = FileLock(tmp_path / "lock", "It is taken.")
    second = FileLock(tmp_path / "lock", "It is taken.")
    first.acquire()
    first.acquire()

    with pytest.raises(LaunchError, match=r"It is taken\."):
        second.acquire()
    first.release()

    second.acquire()
    second.release()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LaunchError, match=r"file/data cannot be written to"):
        make_directory(tmp_path / "file" / "data")


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    made = make_directory(tmp_path / "a" / "b")

    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert list(made.iterdir()) == []
