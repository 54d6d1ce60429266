"""What every encoder meets: token ids in, unit vectors out, on its own device."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from app.sidecar.tokens import TextTokenizer


class Encoded(NamedTuple):
    """Results of one batch (b texts, padded to s tokens, d dimensions)."""

    vectors: NDArray[np.float32]  # [b, d], unit length
    signs: NDArray[np.bool_] | None  # [b, s, d], token value > 0; only when asked


class Encoder(Protocol):
    """A loaded model."""

    @property
    def name(self) -> str:
        """Name under which the model is served."""

    @property
    def backend(self) -> str:
        """``onnx`` or ``torch``, and the device."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    @property
    def tokenizer(self) -> TextTokenizer:
        """The model's tokeniser."""

    @property
    def batch_tokens(self) -> int:
        """Tokens of one batch, padding counted, that use the device well."""

    @property
    def parallel(self) -> int:
        """Batches to compute at once: where over 1, ``encode`` is called from several threads."""

    def encode(
        self, ids: NDArray[np.int32], lengths: NDArray[np.int32], *, signs: bool, urgent: bool
    ) -> Encoded:
        """Encode texts padded on the right with anything.

        Args:
            ids: token ids, specials included. Shape [b, s].
            lengths: tokens of each text, ≥ 1. Shape [b].
            signs: give the token values' signs too.
            urgent: answer soon, rather than use the processors best.

        Raises:
            DeviceMemoryError: the batch is too large for the device; smaller ones may pass.
        """
