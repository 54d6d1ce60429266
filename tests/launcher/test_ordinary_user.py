"""The whole server as an ordinary user, where the tests run as root."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from app.launcher.account import Account
from app.launcher.processes import wait_until
from tests.launcher.live import ROOT, free_port

pytestmark = [
    pytest.mark.pg,
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs all the tests as one"),
]


@pytest.fixture
def nobody() -> Account:
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid, switch=True)


@pytest.fixture
def home(nobody: Account) -> Generator[Path]:
    made = Path(tempfile.mkdtemp(prefix="home-"))
    nobody.give(made)
    yield made
    shutil.rmtree(made)


def _python_for(account: Account) -> str:
    """Return a Python of our version that the account may run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        if candidate and account.may("-x", Path(candidate).resolve()):
            return candidate
    pytest.skip(f"the user with id {account.uid} may run no {version}")


def test_an_ordinary_user_needs_no_root(nobody: Account, home: Path) -> None:
    packages = sysconfig.get_path("purelib")
    if not (nobody.may("-r", ROOT / "pyproject.toml") and nobody.may("-r", packages)):
        pytest.skip("the checkout is private to root")
    output = home / "output"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": packages,
        "APP_PORT": str(free_port()),
        "APP_DATA_DIR": str(home / "data"),
    }
    with output.open("wb") as file:
        server = subprocess.Popen(
            [_python_for(nobody), "-m", "app.cli", "serve"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            **nobody.popen_arguments(),
        )
    with contextlib.ExitStack() as at_end:
        at_end.callback(server.kill)
        assert wait_until(lambda: "API key" in output.read_text() or server.poll() is not None, 120)
        assert server.poll() is None, output.read_text()

        assert (home / "data" / "postgres" / "data").stat().st_uid == nobody.uid
        assert (home / "data").stat().st_mode & 0o777 == 0o700
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
