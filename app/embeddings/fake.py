"""A deterministic embedder without a model: texts that share words have near vectors."""

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from app.embeddings import kernel
from app.embeddings.errors import EmbedderUnavailableError
from app.embeddings.protocol import Embedded, TextWindows, TokenBits, Vectors

_WORD = re.compile(r"\w+")


class FakeEmbedder:
    """Sums one fixed random direction per word; set ``failing`` and it is away."""

    def __init__(
        self, *, model: str = "fake", dimensions: int = 384, has_tokens: bool = True
    ) -> None:
        self.model = model
        self.has_tokens = has_tokens
        self.dimensions = dimensions
        self.failing = False
        self.requests = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text. Shape [n, d]."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        self._called()
        return np.stack([self._vector(text) for text in texts])

    async def embed_query(self, text: str) -> Vectors:
        """Return the unit vector of a query. Shape [d]."""
        self._called()
        return self._vector(text)

    async def embed_with_tokens(self, texts: Sequence[str]) -> Embedded:
        """Return vectors, and a token a word."""
        return self._embedded(texts, await self.embed(texts))

    async def embed_query_with_tokens(self, text: str) -> Embedded:
        """Return those of a query."""
        return self._embedded([text], (await self.embed_query(text))[None, :])

    async def windows(self, texts: Sequence[str]) -> list[TextWindows]:
        """Return windows by bytes and estimated counts of tokens."""
        self._called()
        return [kernel.byte_windows(text) for text in texts]

    async def aclose(self) -> None:
        """Nothing is open."""

    def _called(self) -> None:
        self.requests += 1
        if self.failing:
            msg = "The fake embedder was told to fail."
            raise EmbedderUnavailableError(msg).retry_after(1)

    def _embedded(self, texts: Sequence[str], vectors: Vectors) -> Embedded:
        tokens = [self._tokens(text) for text in texts]
        return Embedded(vectors, tokens if self.has_tokens else None)

    def _tokens(self, text: str) -> TokenBits:
        return np.packbits(np.stack(self._directions(text)) > 0, axis=1)

    def _directions(self, text: str) -> list[Vectors]:
        words = _WORD.findall(text.lower()) or [text]
        return [_direction(word, self.dimensions) for word in words]

    def _vector(self, text: str) -> Vectors:
        total = np.sum(self._directions(text), axis=0)
        vector: Vectors = kernel.unit(total[None, :])[0]
        return vector


@lru_cache(maxsize=20_000)
def _direction(word: str, dimensions: int) -> Vectors:
    generator = np.random.default_rng(zlib.crc32(word.encode()))
    return generator.standard_normal(dimensions).astype(np.float32)
