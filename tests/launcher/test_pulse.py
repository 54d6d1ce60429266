import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from app.launcher import pulse

_LOOP = """
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: signal.pause())  # hangs for good
while True:
    time.sleep(0.05)
"""
_LOOK_S = 0.5


@pytest.fixture
def worker() -> Generator[subprocess.Popen[bytes]]:
    """A process that looks like the worker from outside."""
    command = [sys.executable, "-c", _LOOP, "app.cli", "worker"]
    with subprocess.Popen(command) as process:
        yield process
        process.kill()


@pytest.fixture
def processes(worker: subprocess.Popen[bytes], tmp_path: Path) -> Path:
    """A view of the process table with nobody else's workers in it."""
    (tmp_path / str(worker.pid)).symlink_to(f"/proc/{worker.pid}")
    deadline = time.monotonic() + 10
    while pulse.find_worker(tmp_path) is None and time.monotonic() < deadline:
        time.sleep(0.02)  # until it has become the program we started
    time.sleep(0.3)
    return tmp_path


def test_a_worker_that_turns_over_is_alive(processes: Path) -> None:
    assert pulse.is_alive(processes, look_s=_LOOK_S)


def test_a_worker_that_hangs_is_not_alive(processes: Path, worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGUSR1)
    time.sleep(0.2)

    assert not pulse.is_alive(processes, look_s=_LOOK_S)


def test_a_stopped_worker_is_not_alive(processes: Path, worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGSTOP)
    time.sleep(0.2)

    assert not pulse.is_alive(processes, look_s=_LOOK_S)


def test_the_containers_init_is_not_taken_for_the_worker(tmp_path: Path) -> None:
    for pid, command in ((1, "/sbin/docker-init -- python"), (7, "python")):
        (tmp_path / str(pid)).mkdir()
        words = [*command.split(), "-m", "app.cli", "worker", ""]
        (tmp_path / str(pid) / "cmdline").write_bytes("\0".join(words).encode())

    assert pulse.find_worker(tmp_path) == tmp_path / "7"


def test_no_worker_is_not_alive(tmp_path: Path) -> None:
    assert not pulse.is_alive(tmp_path)


def test_a_worker_that_ended_meanwhile_has_no_turns(tmp_path: Path) -> None:
    assert pulse.turns(tmp_path / "4194304") == -1
