import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.launcher.children import Child, Command
from app.launcher.processes import command_of, started_at, stop_stranger, wait_until


def _child(code: str) -> Child:
    return Child(Command("probe", (sys.executable, "-c", code), {"PATH": os.environ["PATH"]}))


def test_a_child_that_ended_is_due_again_later_each_time() -> None:
    child = _child("raise SystemExit(3)")
    waits: list[float] = []

    for _ in range(3):
        child.start()
        assert wait_until(child.notice_death, 10)
        assert child.exit_code == 3
        began = time.monotonic()
        assert not child.is_due
        child._due, waits = began, [*waits, child._due - began]
        assert child.is_due

    assert child.deaths == 3
    assert waits[0] < waits[1] < waits[2]


def test_a_child_that_does_not_listen_is_killed_at_the_deadline() -> None:
    ready = "print('on', flush=True)"
    child = _child(f"import signal, time; signal.signal(15, lambda *a: 0); {ready}; time.sleep(99)")
    child.start()
    pid = child.pid
    assert pid is not None
    time.sleep(0.5)
    child.ask_to_stop()

    child.await_end(time.monotonic() + 0.3)

    assert started_at(pid) is None
    assert child.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops them")
def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import pathlib, time; from app.launcher.children import Child, Command\n"
        "child = Child(Command('probe', ('/bin/sleep', '99'), {})); child.start()\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid)); time.sleep(99)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    assert wait_until(lambda: note.exists() and note.read_text() != "", 20)
    pid = int(note.read_text())
    assert started_at(pid) is not None

    parent.kill()
    parent.wait()

    assert wait_until(lambda: started_at(pid) is None, 5)


def test_a_stranger_is_stopped_by_the_first_signal_that_works() -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('.', flush=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}; time.sleep(99)"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.read(1)
    token = started_at(process.pid)
    assert token is not None
    assert "signal.SIG_IGN" in command_of(process.pid)

    stopped = stop_stranger(process.pid, token, ((signal.SIGTERM, 0.2), (signal.SIGKILL, 5)))

    assert stopped
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


def test_a_process_of_another_time_is_left_alone() -> None:
    assert stop_stranger(os.getpid(), "another time", ((signal.SIGKILL, 1),))
