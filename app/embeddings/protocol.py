"""What the rooms above ask of an embedder, whoever serves it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.embeddings.kernel import TextWindows

__all__ = ["Embedder", "TextWindows", "Vectors"]

Vectors = NDArray[np.float32]


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
