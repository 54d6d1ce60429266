"""The account the database server runs as: Postgres refuses to run as root."""

import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.launcher.errors import LaunchError
from app.launcher.processes import run

_CANDIDATES = ("remembrancer", "postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Whom the server runs as; ``switch`` when that is not ourselves."""

    uid: int
    gid: int
    switch: bool

    def popen_arguments(self) -> dict[str, Any]:
        """Return what makes ``subprocess`` run a command as this account."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may(self, *tests: str | Path) -> bool:
        """Ask the system itself (modes, ACLs, mounts) with the arguments of test(1)."""
        program = shutil.which("test") or "/bin/test"
        command = [program, *map(str, tests)]
        return run(command, cwd="/", **self.popen_arguments()).returncode == 0

    def may_enter(self, directory: Path) -> bool:
        """Return whether the account can reach the directory and pass through it."""
        return not self.switch or self.may("-x", directory)

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or directory."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_account(cluster: Path, names: Sequence[str] = _CANDIDATES) -> Account:
    """Return the account for the server: ourselves, or an unprivileged one when we are root.

    An existing ``cluster`` stays with its owner.

    Raises:
        LaunchError: we are root and there is no such account.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    if cluster.is_dir() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, switch=True)
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    msg = (
        "Postgres does not run as root, and there is no user "
        f"{', '.join(names[:-1])} or {names[-1]} to run it as; create one."
    )
    raise LaunchError(msg)
