"""The embeddings wing: loads the model, then answers with vectors and windows."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence

import numpy as np

from app.kit.errors import NotReadyError
from app.kit.logging import get_logger
from app.sidecar import registry
from app.sidecar.encoder import Encoder
from app.sidecar.errors import (
    ModelLoadError,
    ModelNotFoundError,
    TooManyTextsError,
    UnsupportedRequestError,
)
from app.sidecar.scheduler import Result, Scheduler
from app.sidecar.settings import SidecarSettings
from app.sidecar.tokens import Windows

_INLINE_CHARACTERS = 2_000  # shorter requests are tokenised on the event loop, in under 1 ms
_OVERLAP = 32
_logger = get_logger("sidecar")


class EmbeddingWing:
    """One model; not ready until it has been loaded and run once."""

    def __init__(self, settings: SidecarSettings, *, on_failure: Callable[[], None]) -> None:
        self.settings = settings
        self.loaded_at = 0
        self._on_failure = on_failure
        self._encoder: Encoder | None = None
        self._scheduler: Scheduler | None = None

    @property
    def is_ready(self) -> bool:
        """Say whether the model has been loaded and run."""
        return self._encoder is not None

    @property
    def encoder(self) -> Encoder:
        """Return the loaded model.

        Raises:
            NotReadyError: it is still loading, or could not be loaded.
        """
        if self._encoder is None:
            raise _not_ready()
        return self._encoder

    @property
    def scheduler(self) -> Scheduler:
        """Return the running scheduler; raises like ``encoder``."""
        if self._scheduler is None:
            raise _not_ready()
        return self._scheduler

    async def load(self) -> None:
        """Load the model and warm it up; tell ``on_failure`` if that cannot be."""
        started = time.perf_counter()
        try:
            encoder = await asyncio.to_thread(self._loaded)
        except ModelLoadError as error:
            _logger.error("model_not_loaded", reason=str(error))  # noqa: TRY400  -- one sentence
            self._on_failure()
            return
        except Exception:  # the edge of this task: nobody awaits it before the process ends
            _logger.exception("model_not_loaded")
            self._on_failure()
            return
        self._scheduler = Scheduler(encoder, self.settings)
        self._encoder = encoder
        self.loaded_at = int(time.time())
        seconds = round(time.perf_counter() - started, 2)
        _logger.info("ready", model=encoder.name, backend=encoder.backend, seconds=seconds)

    async def close(self) -> None:
        """Refuse what waits and stop the device thread."""
        if self._scheduler is not None:
            await self._scheduler.close()

    async def tokens(self, texts: Sequence[str], model: str) -> list[list[int]]:
        """Return the token ids of texts for the named model."""
        self._check(texts, model)
        if sum(map(len, texts)) <= _INLINE_CHARACTERS:
            return self.encoder.tokenizer.ids(texts)
        return await asyncio.to_thread(self.encoder.tokenizer.ids, texts)

    async def embed(self, ids: Sequence[list[int]], *, signs: bool) -> Result:
        """Return the vectors of texts given as token ids; signs of their own tokens only."""
        result = await self.scheduler.embed(ids, signs=signs)
        if result.signs is None:
            return result
        lead, trail = self.encoder.tokenizer.leading, self.encoder.tokenizer.trailing
        return Result(result.vectors, [row[lead : len(row) - trail] for row in result.signs])

    async def windows(
        self, texts: Sequence[str], model: str, *, size: int | None, overlap: int | None
    ) -> list[Windows]:
        """Return each text's token count and windows that fit the model."""
        self._check(texts, model)
        tokenizer = self.encoder.tokenizer
        if size is not None and size > tokenizer.window:
            msg = f"{model} reads {tokenizer.window} tokens; max_tokens asks for {size}."
            raise UnsupportedRequestError(msg)
        span = size or tokenizer.window
        shared = min(_OVERLAP, span // 4) if overlap is None else overlap
        if shared >= span / 2:
            msg = f"overlap must be under half of a window of {span} tokens."
            raise UnsupportedRequestError(msg)

        def cut() -> list[Windows]:
            return [tokenizer.windows(text, size=span, overlap=shared) for text in texts]

        if sum(map(len, texts)) <= _INLINE_CHARACTERS:
            return cut()
        return await asyncio.to_thread(cut)

    def _check(self, texts: Sequence[str], model: str) -> None:
        if model != self.encoder.name:
            msg = f"{model} is not served here; {self.encoder.name} is."
            raise ModelNotFoundError(msg)
        if len(texts) > self.settings.max_items:
            msg = f"A request may hold {self.settings.max_items} texts, not {len(texts)}."
            raise TooManyTextsError(msg, limit=self.settings.max_items)

    def _loaded(self) -> Encoder:
        # Before the first import of torch or tokenizers: waiting OpenMP threads sleep, and
        # tokenising stays in its one thread; the processors belong to the device thread.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        encoder = registry.load(self.settings)
        batch = encoder.tokenizer.ids(["A first run allocates what later ones use."] * 8)
        lengths = np.array([len(row) for row in batch], np.int32)
        for urgent in (True, False):
            encoder.encode(np.array(batch, np.int32), lengths, signs=False, urgent=urgent)
        return encoder


def _not_ready() -> Exception:
    return NotReadyError("The model is still loading.", parts={"model": "away"}).retry_after(1)
