"""A queue of requests that gives batches of texts of nearly the same length."""

import asyncio
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_SLACK = 8  # tokens a text in the leader's batch may be longer than it


@dataclass(slots=True, eq=False)
class Job:
    """One request's texts on their way through the encoder."""

    ids: Sequence[list[int]]
    vectors: NDArray[np.float32]  # [n, d], filled batch by batch
    signs: list[NDArray[np.bool_]] | None  # n of [tokens, d], when asked for
    done: asyncio.Future[None]
    arrived: float = field(default_factory=time.perf_counter)
    started: bool = False
    left: int = field(init=False)
    waiting: list["Text"] = field(init=False)  # longest last

    def __post_init__(self) -> None:
        self.left = len(self.ids)
        self.waiting = sorted(
            (Text(self, place, len(ids)) for place, ids in enumerate(self.ids)), key=_length
        )


@dataclass(slots=True, eq=False)
class Text:
    """One text of a job."""

    job: Job
    place: int
    length: int
    taken: bool = False


def _length(text: Text) -> int:
    return text.length


class Lane:
    """Jobs take turns: the next one's longest text leads a batch, and near lengths fill it."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._texts: list[Text] = []  # shortest first
        self.tokens = 0

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, job: Job) -> None:
        """Queue a job's texts."""
        self._jobs.append(job)
        self._texts = sorted([*self._texts, *job.waiting], key=_length)
        self.tokens += sum(text.length for text in job.waiting)

    def take(self, *, tokens: int, texts: int) -> list[Text]:
        """Return the next batch: at most ``texts``, and ``tokens`` with padding, but one at least.

        Empty only when nothing waits.
        """
        leader = self._leader()
        if leader is None:
            return []
        place = self._place(leader)
        top = bisect_right(self._texts, leader.length + _SLACK, key=_length)
        count = max(1, min(texts, tokens // self._texts[top - 1].length, top))
        low = min(top - count, place)  # the leader is in, however many are longer
        batch = self._texts[low : low + count]
        del self._texts[low : low + count]
        for text in batch:
            text.taken = True
            self.tokens -= text.length
        return batch

    def drop(self, job: Job) -> int:
        """Forget a job's texts that were not taken yet; return how many."""
        dropped = [text for text in job.waiting if not text.taken]
        for text in dropped:
            text.taken = True
            self.tokens -= text.length
        if dropped:
            self._texts = [text for text in self._texts if not text.taken]
        return len(dropped)

    def clear(self) -> list[Job]:
        """Empty the lane; return the jobs that still waited."""
        jobs = {id(text.job): text.job for text in self._texts}
        self._jobs.clear()
        self._texts.clear()
        self.tokens = 0
        return list(jobs.values())

    def _leader(self) -> Text | None:
        while self._jobs:
            job = self._jobs.popleft()
            while job.waiting and job.waiting[-1].taken:
                job.waiting.pop()
            if job.waiting:
                self._jobs.append(job)
                return job.waiting[-1]
        return None

    def _place(self, text: Text) -> int:
        place = bisect_right(self._texts, text.length, key=_length) - 1
        while self._texts[place] is not text:
            place -= 1
        return place
