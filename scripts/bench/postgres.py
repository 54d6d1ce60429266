"""A database server for one measurement."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.launcher.embedded import EmbeddedPostgres


@contextmanager
def measured_postgres(kept: Path | None = None) -> Iterator[tuple[EmbeddedPostgres, Path]]:
    """Yield a durable server, as one in service is, and its directory.

    Both go afterwards, but for a directory that is to be ``kept``.
    """
    directory = kept or Path(tempfile.mkdtemp(prefix="remembrancer-bench-"))
    directory.mkdir(exist_ok=True)
    directory.chmod(0o711)
    server = EmbeddedPostgres(directory)
    server.start()
    try:
        yield server, directory
    finally:
        server.stop(timeout=60)
        if kept is None:
            shutil.rmtree(directory, ignore_errors=True)
