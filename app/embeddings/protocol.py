"""What the rooms above ask of an embedder, whoever serves it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from app.embeddings.kernel import TextWindows

__all__ = ["Embedded", "Embedder", "TextWindows", "TokenEmbedder", "Vectors"]

Vectors = NDArray[np.float32]
TokenBits = NDArray[np.uint8]
"""Sign bits of a text's token vectors, packed. Shape [tokens, ceil(d / 8)]."""


class Embedded(NamedTuple):
    """What one pass of the encoder gave for each text, in their order."""

    vectors: Vectors
    """Of unit length. Shape [n, d]."""
    tokens: list[TokenBits] | None
    """``None``: this embedder gives none."""


class Embedder(Protocol):
    """Turns texts into unit vectors; every method may raise an ``EmbedderError``."""

    @property
    def model(self) -> str:
        """Name of the model; vectors of two models are never compared."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in order. Shape [n, d]; [0, 0] for no texts."""

    async def embed_query(self, text: str) -> Vectors:
        """Return the unit vector of a query, soon or not at all. Shape [d]."""

    async def windows(self, texts: Sequence[str]) -> list[TextWindows]:
        """Return each text's token count and the windows the model can read whole."""

    async def aclose(self) -> None:
        """Close connections."""


@runtime_checkable
class TokenEmbedder(Embedder, Protocol):
    """An embedder that may also give what late interaction compares: a vector for each token."""

    @property
    def has_tokens(self) -> bool:
        """Whether it gives them, as far as is known: true until an answer came without."""

    async def embed_with_tokens(self, texts: Sequence[str]) -> Embedded:
        """Return vectors, and the sign bits of the tokens, of one pass."""

    async def embed_query_with_tokens(self, text: str) -> Embedded:
        """Return those of a query, soon or not at all."""
