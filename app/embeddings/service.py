"""Waiting for an embedder."""

from collections.abc import Generator
from contextlib import contextmanager

from app.embeddings.errors import EmbedderUnavailableError
from app.jobs.errors import TaskPostponedError

AWAY_S = 5
"""After so long a task looks again whether there is an embedder."""


@contextmanager
def embedder_awaited(retry_in_s: float = AWAY_S) -> Generator[None]:
    """Let a task wait for an embedder that is away, however long that takes.

    It costs the job no attempt.
    """
    try:
        yield
    except EmbedderUnavailableError as error:
        raise TaskPostponedError(error.detail, retry_in_s=retry_in_s) from error
