"""Merging, fairness, bounds and failures, with an encoder whose vectors can be foreseen."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from app.kit.errors import NotReadyError
from app.sidecar.encoder import Encoded
from app.sidecar.encoders.onnx import OnnxEncoder
from app.sidecar.errors import DeviceMemoryError, QueueFullError
from app.sidecar.scheduler import Scheduler
from app.sidecar.settings import SidecarSettings
from app.sidecar.tokens import TextTokenizer


class CountingEncoder:
    """Vector of a text: its first token and its length. Keeps the batches it was given."""

    name = "counting"
    backend = "test"
    dimensions = 2

    def __init__(self, tokenizer: TextTokenizer, *, parallel: int, room: int = 10_000) -> None:
        self.tokenizer = tokenizer
        self.parallel = parallel
        self.batch_tokens = 20
        self.room = room
        self.batches: list[list[int]] = []
        self.may_run = threading.Event()
        self.may_run.set()
        self.error: Exception | None = None

    def encode(
        self, ids: NDArray[np.int32], lengths: NDArray[np.int32], *, signs: bool, urgent: bool
    ) -> Encoded:
        self.batches.append(ids[:, 0].tolist())
        assert self.may_run.wait(10)
        if len(ids) > self.room:
            msg = "full"
            raise DeviceMemoryError(msg)
        if self.error is not None:
            raise self.error
        vectors = np.stack([ids[:, 0], lengths], axis=1).astype(np.float32)
        positive = np.repeat((ids > 5)[:, :, None], 2, axis=2) if signs else None
        return Encoded(vectors, positive)


Start = Callable[..., "asyncio.Future[None]"]


@asynccontextmanager
async def running(encoder: CountingEncoder, settings: SidecarSettings) -> AsyncGenerator[Scheduler]:
    scheduler = Scheduler(encoder, settings)
    yield scheduler
    encoder.may_run.set()
    await scheduler.close()


@pytest.fixture(params=[1, 2], ids=["one-thread", "two-threads"])
def counting(request: pytest.FixtureRequest, encoder: OnnxEncoder) -> CountingEncoder:
    return CountingEncoder(encoder.tokenizer, parallel=request.param)


def texts(*firsts: int, length: int = 4) -> list[list[int]]:
    return [[first] * length for first in firsts]


async def test_results_come_back_in_the_order_of_the_texts(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    mixed = [[number] * (1 + number % 9) for number in range(40)]

    async with running(counting, settings) as scheduler:
        results = await asyncio.gather(scheduler.embed(mixed), scheduler.embed(mixed[::-1]))

    assert results[0].vectors.tolist() == [[n, 1 + n % 9] for n in range(40)]
    assert results[1].vectors.tolist() == results[0].vectors.tolist()[::-1]
    assert results[0].signs is None


async def test_signs_are_given_to_those_who_asked_without_padding(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    async with running(counting, settings) as scheduler:
        plain, signed = await asyncio.gather(
            scheduler.embed([[9, 1, 1]]), scheduler.embed([[9, 1], [1, 9, 9]], signs=True)
        )

    assert plain.signs is None
    assert signed.signs is not None
    assert [rows[:, 0].tolist() for rows in signed.signs] == [[True, False], [False, True, True]]


async def test_requests_that_wait_together_are_encoded_together(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    counting.may_run.clear()
    async with running(counting, settings) as scheduler, asyncio.TaskGroup() as group:
        group.create_task(scheduler.embed(texts(1)))
        await until(lambda: len(counting.batches) == 1)
        for number in range(2, 6):
            group.create_task(scheduler.embed(texts(number)))
        await asyncio.sleep(0)
        counting.may_run.set()

    assert counting.batches[0] == [1]
    assert sorted(counting.batches[1]) == [2, 3, 4, 5]


async def test_a_query_does_not_wait_behind_a_large_request(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    counting.may_run.clear()
    async with running(counting, settings) as scheduler, asyncio.TaskGroup() as group:
        bulk = group.create_task(scheduler.embed(texts(*[1] * 500)))
        await until(lambda: len(counting.batches) == counting.parallel)
        query = group.create_task(scheduler.embed(texts(2)))
        await asyncio.sleep(0)
        counting.may_run.set()
        await query
        before = len(counting.batches)
        await bulk

    assert counting.batches.index([2]) <= counting.parallel
    assert before < len(counting.batches)


async def test_queries_do_not_starve_a_large_request(
    encoder: OnnxEncoder, settings: SidecarSettings
) -> None:
    counting = CountingEncoder(encoder.tokenizer, parallel=1)
    counting.batch_tokens = 4
    counting.may_run.clear()
    async with running(counting, settings) as scheduler, asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(scheduler.embed(texts(2)))
        group.create_task(scheduler.embed(texts(*[1] * 6)))
        await asyncio.sleep(0)
        counting.may_run.set()

    assert counting.batches.index([1]) < 10


async def test_a_full_queue_refuses_and_says_when_to_come_back(
    counting: CountingEncoder, cache_dir: object
) -> None:
    settings = SidecarSettings(queue=10, max_items=10)
    counting.may_run.clear()
    async with running(counting, settings) as scheduler:
        running_texts = 5 * counting.parallel
        first = asyncio.create_task(scheduler.embed(texts(*[1] * running_texts)))
        await until(lambda: len(counting.batches) >= 1)
        second = asyncio.create_task(scheduler.embed(texts(*[1] * 8)))
        await asyncio.sleep(0)

        with pytest.raises(QueueFullError) as caught:
            await scheduler.embed(texts(*[1] * 8))

        counting.may_run.set()
        await asyncio.gather(first, second)
    assert int(caught.value.headers["Retry-After"]) >= 1


async def test_a_cancelled_request_costs_no_further_batch(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    counting.may_run.clear()
    async with running(counting, settings) as scheduler:
        bulk = asyncio.create_task(scheduler.embed(texts(*[1] * 500)))
        await until(lambda: len(counting.batches) == counting.parallel)
        bulk.cancel()
        with pytest.raises(asyncio.CancelledError):
            await bulk
        counting.may_run.set()

        assert (await scheduler.embed(texts(2))).vectors.tolist() == [[2, 4]]
        assert scheduler.waiting() == 0

    assert len(counting.batches) == counting.parallel + 1


async def test_a_batch_too_large_for_the_device_is_halved_once(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    counting.room = 2
    async with running(counting, settings) as scheduler:
        result = await scheduler.embed(texts(1, 2, 3, 4))

    assert result.vectors[:, 0].tolist() == [1, 2, 3, 4]
    assert [len(batch) for batch in counting.batches] == [4, 2, 2]


async def test_a_text_too_large_for_the_device_fails_alone_and_the_next_one_passes(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    async with running(counting, settings) as scheduler:
        counting.room = 0
        with pytest.raises(DeviceMemoryError):
            await scheduler.embed(texts(1))
        counting.room = 10

        assert (await scheduler.embed(texts(2))).vectors.tolist() == [[2, 4]]


async def test_an_encoder_that_breaks_fails_its_batch_only(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    async with running(counting, settings) as scheduler:
        counting.error = RuntimeError("broken")
        with pytest.raises(RuntimeError, match="broken"):
            await scheduler.embed(texts(1))
        counting.error = None

        assert (await scheduler.embed(texts(2))).vectors.tolist() == [[2, 4]]


async def test_closing_answers_those_who_wait_and_refuses_the_rest(
    counting: CountingEncoder, settings: SidecarSettings
) -> None:
    counting.may_run.clear()
    scheduler = Scheduler(counting, settings)
    waiting = asyncio.create_task(scheduler.embed(texts(*[1] * 500)))
    await until(lambda: len(counting.batches) == counting.parallel)
    closing = asyncio.create_task(scheduler.close())
    await asyncio.sleep(0)
    counting.may_run.set()
    await closing

    with pytest.raises(NotReadyError):
        await waiting
    with pytest.raises(NotReadyError):
        await scheduler.embed(texts(1))


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
