"""Processes: tying children to their parent, recognising and stopping leftovers."""

import contextlib
import ctypes
import os
import platform
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

# As a plain bool, so that the type checker reads both branches wherever it runs.
_LINUX: bool = platform.system() == "Linux"
_PR_SET_PDEATHSIG = 1
_STAT_STARTTIME = 19  # field 22 of /proc/PID/stat, counted after the command's closing parenthesis


def die_with_parent(signum: int) -> Callable[[], None] | None:
    """Return what a child runs before exec so that its parent's death sends it ``signum``.

    Linux only. The signal follows the *thread* that starts the child: start from the main thread.
    """
    if not _LINUX:
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded here: no imports after a fork
    parent = os.getpid()

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
        if os.getppid() != parent:  # it died before the call
            os.kill(os.getpid(), signal.SIGKILL)

    return arm


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    output: IO[bytes] | int | None,
    when_parent_dies: int,
    **further: Any,  # noqa: ANN401  -- Popen's own arguments
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own: Ctrl-C in the terminal is its parent's to handle."""
    return subprocess.Popen(  # noqa: S603  -- commands of ours, no shell
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=die_with_parent(when_parent_dies),  # noqa: PLW1509  -- one system call
        **further,
    )


def run(
    command: Sequence[str | Path],
    **further: Any,  # noqa: ANN401  -- subprocess.run's own arguments
) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end and return what it said."""
    return subprocess.run(  # noqa: S603  -- commands of ours, no shell
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **further
    )


def started_at(pid: int) -> str | None:
    """Return when a process started, as an opaque token; ``None`` when there is none (or a zombie).

    The pair of pid and token names a process for good; a pid alone is reused.
    """
    if _LINUX:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in {"Z", "X"} else fields[_STAT_STARTTIME]
    return _ask_ps(pid, "lstart=")


def command_of(pid: int) -> str:
    """Return a process's command line; empty when there is none."""
    if _LINUX:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (OSError, UnicodeDecodeError):
            return ""
    return _ask_ps(pid, "command=") or ""


def _ask_ps(pid: int, column: str) -> str | None:
    answer = run(["/bin/ps", "-p", str(pid), "-o", column])
    return answer.stdout.strip() or None


def wait_until(condition: Callable[[], bool], timeout: float, *, every: float = 0.02) -> bool:
    """Wait until ``condition`` holds; return whether it did within ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def signal_quietly(pid: int, signum: int) -> None:
    """Send a signal to a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)


def stop_stranger(pid: int, token: str, steps: Iterable[tuple[int, float]]) -> bool:
    """Stop a process that is not our child: each signal, then its wait; return whether it went."""

    def gone() -> bool:
        return started_at(pid) != token

    for signum, seconds in steps:
        if gone():
            return True
        signal_quietly(pid, signum)
        if wait_until(gone, seconds):
            return True
    return gone()


def stop_child(child: subprocess.Popen[bytes], steps: Iterable[tuple[int, float]]) -> None:
    """Stop a child of ours: each signal, then its wait; reap it."""
    for signum, seconds in steps:
        if child.poll() is not None:
            return
        signal_quietly(child.pid, signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
            return
