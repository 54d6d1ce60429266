"""A question's vector, soon or not at all."""

import asyncio

from app.embeddings.errors import EmbedderError
from app.embeddings.protocol import Embedded, Embedder
from app.embeddings.service import embed_query
from app.kit.metrics import stage


async def embedded(embedder: Embedder, text: str, limit_s: float) -> Embedded | None:
    """Return what the embedder says of a question; ``None``: it is away, or takes too long."""
    try:
        async with asyncio.timeout(limit_s):
            with stage("embed"):
                return await embed_query(embedder, text)
    except (EmbedderError, TimeoutError):
        return None
