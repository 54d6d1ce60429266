"""A Postgres server that nobody needs afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.launcher.embedded import EmbeddedPostgres


@contextmanager
def throwaway_postgres() -> Iterator[EmbeddedPostgres]:
    """Run a server of this test run; fast, not durable."""
    # Not pytest's own directory: that is private to us, and the server may run as another user.
    directory = Path(tempfile.mkdtemp(prefix="remembrancer-test-"))
    directory.chmod(0o711)
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(directory, ignore_errors=True)
