"""A database server for one measurement."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.launcher.embedded import EmbeddedPostgres


@contextmanager
def measured_postgres() -> Iterator[tuple[EmbeddedPostgres, Path]]:
    """Yield a durable server, as one in service is, and its directory; both go afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="remembrancer-bench-"))
    directory.chmod(0o711)
    server = EmbeddedPostgres(directory)
    server.start()
    try:
        yield server, directory
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
