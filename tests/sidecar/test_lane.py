"""Which texts are encoded together, and whose turn it is."""

import asyncio

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.sidecar.lane import Job, Lane


def job_of(*lengths: int) -> Job:
    loop = asyncio.new_event_loop()
    done: asyncio.Future[None] = loop.create_future()
    loop.close()
    return Job([[7] * n for n in lengths], np.empty((len(lengths), 1), np.float32), None, done)


@given(st.lists(st.lists(st.integers(1, 256), min_size=1, max_size=20), max_size=6))
def test_every_text_is_taken_once_in_batches_within_bounds(jobs: list[list[int]]) -> None:
    lane = Lane()
    for lengths in jobs:
        lane.add(job_of(*lengths))

    taken = []
    while batch := lane.take(tokens=300, texts=8):
        longest = max(text.length for text in batch)
        assert len(batch) == 1 or longest * len(batch) <= 300
        assert len(batch) <= 8
        taken += batch

    assert sorted(text.length for text in taken) == sorted(
        length for lengths in jobs for length in lengths
    )
    assert len({(id(text.job), text.place) for text in taken}) == len(taken)
    assert (len(lane), lane.tokens) == (0, 0)


def test_a_batch_holds_texts_of_near_lengths_from_several_jobs() -> None:
    lane = Lane()
    lane.add(job_of(100, 5))
    lane.add(job_of(98, 6))

    lengths = [text.length for text in lane.take(tokens=200, texts=8)]

    assert lengths == [98, 100]


def test_jobs_take_turns() -> None:
    lane = Lane()
    large, small = job_of(*[50] * 100), job_of(10)
    lane.add(large)
    lane.add(small)

    first, second = (lane.take(tokens=50, texts=8) for _ in range(2))

    assert [text.job for text in first] == [large]
    assert [text.job for text in second] == [small]


def test_a_dropped_job_leaves_no_text_behind() -> None:
    lane = Lane()
    kept, gone = job_of(10, 20), job_of(10, 20)
    lane.add(kept)
    lane.add(gone)

    assert lane.drop(gone) == 2
    assert lane.drop(gone) == 0
    assert {text.job for text in lane.take(tokens=1_000, texts=8)} == {kept}
    assert lane.take(tokens=1_000, texts=8) == []


def test_clearing_names_the_jobs_that_waited() -> None:
    lane = Lane()
    jobs = [job_of(10), job_of(20, 30)]
    for job in jobs:
        lane.add(job)

    assert lane.clear() in (jobs, jobs[::-1])
    assert lane.take(tokens=1_000, texts=8) == []
