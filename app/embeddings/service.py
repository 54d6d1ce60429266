"""Waiting for an embedder; asking it for all that it gives."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from app.embeddings.errors import EmbedderUnavailableError
from app.embeddings.protocol import Embedded, Embedder, TokenEmbedder
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


async def embed(embedder: Embedder, texts: Sequence[str]) -> Embedded:
    """Return vectors, and token bits where the embedder gives any."""
    if isinstance(embedder, TokenEmbedder):
        return await embedder.embed_with_tokens(texts)
    return Embedded(await embedder.embed(texts), None)


async def embed_query(embedder: Embedder, text: str) -> Embedded:
    """Return those of a query."""
    if isinstance(embedder, TokenEmbedder):
        return await embedder.embed_query_with_tokens(text)
    return Embedded((await embedder.embed_query(text))[None, :], None)


def has_tokens(embedder: Embedder) -> bool:
    """Tell whether an embedder gives token bits, as far as is known."""
    return isinstance(embedder, TokenEmbedder) and embedder.has_tokens
