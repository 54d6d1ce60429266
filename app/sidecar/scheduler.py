"""Requests → a bounded queue → batches of near lengths → the device's own threads.

The queue lives on the event loop and needs no lock; only ``Encoder.encode`` runs in the threads.
A device that computes one batch at a time has one thread, which takes queries first. One that
computes several has a thread for queries, so that they start at once, and others for the rest.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.kit.errors import NotReadyError
from app.kit.logging import get_logger
from app.sidecar import metrics
from app.sidecar.encoder import Encoded, Encoder
from app.sidecar.errors import DeviceMemoryError, QueueFullError
from app.sidecar.lane import Job, Lane, Text
from app.sidecar.settings import SidecarSettings

# On a device with one thread: so many batches of queries, then one of the rest if any waits.
_QUERY_BATCHES = 4
_LEAST_TOKENS = 64  # of a batch, when the rest is split to keep all threads busy
_logger = get_logger("sidecar")


class Result(NamedTuple):
    """Vectors [n, d] of a request's texts; signs, when asked for, as n of [tokens, d]."""

    vectors: NDArray[np.float32]
    signs: list[NDArray[np.bool_]] | None


class Batch(NamedTuple):
    """Texts to encode together, shortest first."""

    texts: list[Text]
    urgent: bool

    @property
    def lane(self) -> str:
        """Label of the metrics."""
        return "query" if self.urgent else "bulk"


class Scheduler:
    """Owns the threads of one encoder."""

    def __init__(self, encoder: Encoder, settings: SidecarSettings) -> None:
        self._encoder = encoder
        self._settings = settings
        self._batch_tokens = settings.batch_tokens or encoder.batch_tokens
        self._queries = Lane()
        self._bulk = Lane()
        self._query_batches = 0
        self._tokens_per_s = 5_000.0
        self._wake = asyncio.Event()
        takes = [self._take_any]
        if encoder.parallel > 1:
            takes = [self._take_query] + [self._take_bulk] * encoder.parallel
        self._threads = ThreadPoolExecutor(len(takes), thread_name_prefix="device")
        self._drivers = [asyncio.create_task(self._drive(take)) for take in takes]
        self._closed = False

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
            metrics.dropped.inc(lane.drop(job))
        return Result(job.vectors, job.signs)

    def waiting(self) -> int:
        """Return how many texts wait."""
        return len(self._queries) + len(self._bulk)

    async def close(self) -> None:
        """Refuse what waits, let the running batches end."""
        self._closed = True
        for driver in self._drivers:
            driver.cancel()
        await asyncio.gather(*self._drivers, return_exceptions=True)
        for job in self._queries.clear() + self._bulk.clear():
            if not job.done.done():
                job.done.set_exception(_stopping())
        await asyncio.to_thread(self._threads.shutdown)

    def _admit(self, count: int) -> None:
        if self._closed:
            raise _stopping()
        waiting = self.waiting()
        if waiting and waiting + count > self._settings.queue:
            metrics.rejected.inc(count)
            msg = f"{waiting} texts wait; the queue holds {self._settings.queue}."
            seconds = (self._queries.tokens + self._bulk.tokens) / self._tokens_per_s
            raise QueueFullError(msg).retry_after(min(seconds, 60))

    async def _drive(self, take: Callable[[], Batch]) -> None:
        while True:
            batch = take()
            if batch.texts:
                self._begin(batch)
                await self._run(batch)
            else:
                self._wake.clear()
                await self._wake.wait()

    def _take_query(self) -> Batch:
        texts = self._queries.take(tokens=self._batch_tokens, texts=self._settings.max_batch)
        return Batch(texts, urgent=True)

    def _take_bulk(self) -> Batch:
        share = max(_LEAST_TOKENS, self._bulk.tokens // self._encoder.parallel)
        tokens = min(self._batch_tokens, share)
        return Batch(self._bulk.take(tokens=tokens, texts=self._settings.max_batch), urgent=False)

    def _take_any(self) -> Batch:
        """Take queries first, but never so that larger requests starve."""
        turn_of_bulk = self._query_batches >= _QUERY_BATCHES and len(self._bulk) > 0
        batch = self._take_bulk() if turn_of_bulk else self._take_query()
        if not batch.texts:
            batch = self._take_bulk()
        self._query_batches = self._query_batches + 1 if batch.urgent else 0
        return batch

    def _begin(self, batch: Batch) -> None:
        now = time.perf_counter()
        for job in {text.job for text in batch.texts if not text.job.started}:
            job.started = True
            metrics.wait_seconds.labels(batch.lane).observe(now - job.arrived)
        metrics.waiting.set(self.waiting())

    async def _run(self, batch: Batch, *, halve: bool = True) -> None:
        """Encode one batch and hand out its results; a failure is its jobs' alone."""
        texts = batch.texts
        started = time.perf_counter()
        try:
            loop = asyncio.get_running_loop()
            encoded = await loop.run_in_executor(self._threads, self._compute, batch)
        except DeviceMemoryError as error:
            metrics.out_of_memory.inc()
            _logger.warning("device_out_of_memory", texts=len(texts), tokens=texts[-1].length)
            if halve and len(texts) > 1:
                middle = len(texts) // 2
                await self._run(Batch(texts[:middle], batch.urgent), halve=False)
                await self._run(Batch(texts[middle:], batch.urgent), halve=False)
            else:
                _fail(texts, error)
        except Exception as error:  # the scheduler's edge: one bad batch must not end the loop
            _logger.exception("batch_failed", texts=len(texts))
            _fail(texts, error)
        else:
            self._observe(batch, time.perf_counter() - started)
            _hand_out(texts, encoded)

    def _compute(self, batch: Batch) -> Encoded:
        """Pad and encode; runs in a device thread."""
        lengths = np.array([text.length for text in batch.texts], np.int32)
        ids = np.zeros((len(batch.texts), int(lengths.max())), np.int32)
        for row, text in zip(ids, batch.texts, strict=True):
            row[: text.length] = text.job.ids[text.place]
        signs = any(text.job.signs is not None for text in batch.texts)
        return self._encoder.encode(ids, lengths, signs=signs, urgent=batch.urgent)

    def _observe(self, batch: Batch, seconds: float) -> None:
        tokens = sum(text.length for text in batch.texts)
        rate = tokens / seconds * self._encoder.parallel
        self._tokens_per_s += 0.1 * (rate - self._tokens_per_s)
        metrics.batch_seconds.labels(batch.lane).observe(seconds)
        metrics.batch_texts.labels(batch.lane).observe(len(batch.texts))
        metrics.texts.inc(len(batch.texts))
        metrics.tokens.inc(tokens)


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
