"""Requests → a bounded queue → batches of near lengths → one thread on the device.

The queue lives on the event loop and needs no lock; only ``Encoder.encode`` runs in the thread.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.kit.logging import get_logger
from app.sidecar.encoder import Encoded, Encoder
from app.sidecar.errors import DeviceMemoryError, NotReadyError, QueueFullError
from app.sidecar.lane import Job, Lane, Text
from app.sidecar.metrics import Metrics
from app.sidecar.settings import SidecarSettings

# So many batches of queries in a row, then one of the larger requests if any waits.
_QUERY_BATCHES = 4
_logger = get_logger("sidecar")


class Result(NamedTuple):
    """Vectors [n, d] of a request's texts; signs, when asked for, as n of [tokens, d]."""

    vectors: NDArray[np.float32]
    signs: list[NDArray[np.bool_]] | None


class Scheduler:
    """Owns the device thread of one encoder."""

    def __init__(self, encoder: Encoder, settings: SidecarSettings, metrics: Metrics) -> None:
        self._encoder = encoder
        self._settings = settings
        self._metrics = metrics
        self._batch_tokens = settings.batch_tokens or encoder.batch_tokens
        self._queries = Lane()
        self._bulk = Lane()
        self._query_batches = 0
        self._tokens_per_s = 5_000.0
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="device")
        self._driver = asyncio.create_task(self._drive())

    async def embed(self, ids: Sequence[list[int]], *, signs: bool = False) -> Result:
        """Encode texts given as token ids; cancelling drops those not yet begun.

        Raises:
            QueueFullError: too many texts wait.
            DeviceMemoryError: no room on the device, even for half a batch.
            NotReadyError: the scheduler has been closed.
        """
        self._admit(len(ids))
        job = Job(
            ids,
            np.empty((len(ids), self._encoder.dimensions), np.float32),
            [np.empty(0, np.bool_)] * len(ids) if signs else None,
            asyncio.get_running_loop().create_future(),
        )
        is_query = len(ids) <= self._settings.query_texts
        lane = self._queries if is_query else self._bulk
        lane.add(job)
        self._wake.set()
        try:
            await job.done
        finally:
            # After success nothing is left to drop; after a hang-up or a failure the rest is.
            self._metrics.dropped.inc(lane.drop(job))
        return Result(job.vectors, job.signs)

    def waiting(self) -> int:
        """Return how many texts wait."""
        return len(self._queries) + len(self._bulk)

    async def close(self) -> None:
        """Refuse what waits, let the running batch end."""
        self._driver.cancel()
        with suppress(asyncio.CancelledError):
            await self._driver
        for job in self._queries.clear() + self._bulk.clear():
            if not job.done.done():
                job.done.set_exception(_stopping())
        await asyncio.to_thread(self._thread.shutdown)

    def _admit(self, count: int) -> None:
        if self._driver.done():
            raise _stopping()
        waiting = self.waiting()
        if waiting and waiting + count > self._settings.queue:
            self._metrics.rejected.inc(count)
            msg = f"{waiting} texts wait; the queue holds {self._settings.queue}."
            seconds = (self._queries.tokens + self._bulk.tokens) / self._tokens_per_s
            raise QueueFullError(msg).retry_after(min(seconds, 60))

    async def _drive(self) -> None:
        while True:
            batch = self._next()
            self._metrics.waiting.set(self.waiting())
            if batch:
                await self._run(batch)
            else:
                self._wake.clear()
                await self._wake.wait()

    def _next(self) -> list[Text]:
        """Return the next batch: queries first, but never so that larger requests starve."""
        turn_of_bulk = self._query_batches >= _QUERY_BATCHES and len(self._bulk) > 0
        lane = self._bulk if turn_of_bulk or not len(self._queries) else self._queries
        self._query_batches = 0 if lane is self._bulk else self._query_batches + 1
        batch = lane.take(tokens=self._batch_tokens, texts=self._settings.max_batch)
        name = "bulk" if lane is self._bulk else "query"
        now = time.perf_counter()
        for job in {text.job for text in batch if not text.job.started}:
            job.started = True
            self._metrics.wait_seconds.labels(name).observe(now - job.arrived)
        return batch

    async def _run(self, batch: list[Text], *, halve: bool = True) -> None:
        """Encode one batch and hand out its results; a failure is its jobs' alone."""
        started = time.perf_counter()
        try:
            encoded = await self._encode(batch)
        except DeviceMemoryError as error:
            self._metrics.out_of_memory.inc()
            _logger.warning("device_out_of_memory", texts=len(batch), tokens=batch[-1].length)
            if halve and len(batch) > 1:
                middle = len(batch) // 2
                await self._run(batch[:middle], halve=False)
                await self._run(batch[middle:], halve=False)
            else:
                _fail(batch, error)
        except Exception as error:  # the scheduler's edge: one bad batch must not end the loop
            _logger.exception("batch_failed", texts=len(batch))
            _fail(batch, error)
        else:
            self._observe(batch, time.perf_counter() - started)
            _hand_out(batch, encoded)

    async def _encode(self, batch: list[Text]) -> Encoded:
        signs = any(text.job.signs is not None for text in batch)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._compute, batch, signs)

    def _compute(self, batch: list[Text], signs: bool) -> Encoded:
        """Pad and encode; runs in the device thread."""
        lengths = np.array([text.length for text in batch], np.int32)
        ids = np.zeros((len(batch), int(lengths.max())), np.int32)
        for row, text in zip(ids, batch, strict=True):
            row[: text.length] = text.job.ids[text.place]
        return self._encoder.encode(ids, lengths, signs=signs)

    def _observe(self, batch: list[Text], seconds: float) -> None:
        tokens = sum(text.length for text in batch)
        self._tokens_per_s += 0.1 * (tokens / seconds - self._tokens_per_s)
        self._metrics.batch_seconds.observe(seconds)
        self._metrics.batch_texts.observe(len(batch))
        self._metrics.texts.inc(len(batch))
        self._metrics.tokens.inc(tokens)


def _hand_out(batch: list[Text], encoded: Encoded) -> None:
    for row, text in enumerate(batch):
        job = text.job
        job.vectors[text.place] = encoded.vectors[row]
        if job.signs is not None and encoded.signs is not None:
            job.signs[text.place] = encoded.signs[row, : text.length]
        job.left -= 1
        if job.left == 0 and not job.done.done():
            job.done.set_result(None)


def _fail(batch: list[Text], error: Exception) -> None:
    for job in {text.job for text in batch}:
        if not job.done.done():
            job.done.set_exception(error)


def _stopping() -> Exception:
    return NotReadyError("The sidecar is stopping.").retry_after(1)
