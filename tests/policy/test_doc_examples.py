"""The examples of the documentation are run, as they stand, against a live server.

Blocks marked ``bash`` or ``python`` run, in order; those of one document share a directory and
(``bash``) a shell. Blocks marked ``sh`` are for reading.
"""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.launcher.live import LiveServer
from tests.policy.documents import Block, blocks, documents, name_of
from tests.policy.sources import ROOT

pytestmark = [pytest.mark.live, pytest.mark.slow]

DOCUMENTED_URL = "http://127.0.0.1:8080"

# A call that fails, fails the shell; blocks of one document follow each other in it.
PRELUDE = """\
set -euo pipefail
curl() { command curl --fail-with-body --max-time 60 "$@"; echo; }
"""


def _runnable(path: Path) -> list[Block]:
    return [block for block in blocks(path.read_text()) if block.language in {"bash", "python"}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    """The server that the documents talk to."""
    live = LiveServer(tmp_path_factory.mktemp("docs") / ".data")
    live.start()
    yield live
    live.stop()


@pytest.fixture
def folder(server: LiveServer, tmp_path: Path) -> Path:
    """A directory that looks like the repository to the examples."""
    (tmp_path / ".data").symlink_to(server.data_dir)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def _run(command: list[str], code: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONWARNINGS": "error"},
        input=code,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("path", [path for path in documents() if _runnable(path)], ids=name_of)
def test_examples_work_as_they_stand(path: Path, server: LiveServer, folder: Path) -> None:
    found = [
        block._replace(code=block.code.replace(DOCUMENTED_URL, server.url))
        for block in _runnable(path)
    ]
    shell = "".join(block.code for block in found if block.language == "bash")
    if shell:
        _run(["bash"], PRELUDE + shell, folder)
    for block in found:
        if block.language == "python":
            _run([sys.executable, "-"], block.code, folder)


def test_the_readme_shows_what_its_python_prints(server: LiveServer, folder: Path) -> None:
    block = next(one for one in _runnable(ROOT / "README.md") if one.language == "python")
    code = block.code.replace(DOCUMENTED_URL, server.url).replace('"bob"', '"bob again"')
    code = code.replace("/users/bob", "/users/bob%20again")

    done = subprocess.run(
        [sys.executable, "-"], cwd=folder, input=code, capture_output=True, text=True, check=True
    )

    lines = done.stdout.splitlines()
    assert lines[0] == "created"
    assert "My sister Ada lives in Lisbon." in lines[1]
    assert lines[-1] == "1"
