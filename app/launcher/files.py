"""Files of the data directory: private directories, secrets, locks."""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from app.launcher.errors import LaunchError


def make_directory(path: Path, *, mode: int = 0o700) -> Path:
    """Return the directory, made with ``mode`` if it was missing.

    Raises:
        LaunchError: it cannot be made or written to.
    """
    try:
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
        probe = path / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        msg = f"The directory {path} cannot be written to: {error.strerror}."
        raise LaunchError(msg) from error
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; it appears whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def open_private(path: Path) -> BinaryIO:
    """Open a file, emptied, that only its owner reads."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def secret(path: Path, *, prefix: str = "") -> str:
    """Return the secret kept in ``path``, made at first use."""
    with contextlib.suppress(FileNotFoundError):
        if kept := path.read_text().strip():
            return kept
    made = prefix + secrets.token_urlsafe(32)
    write_private(path, made + "\n")
    return made


class FileLock:
    """An exclusive lock on a file, held until released or until the process ends."""

    def __init__(self, path: Path, complaint: str) -> None:
        self._path = path
        self._complaint = complaint
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            LaunchError: another process holds it.
        """
        if self._file is not None:
            return
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            raise LaunchError(self._complaint) from error
        self._file = file

    def release(self) -> None:
        """Give the lock back, if held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
