"""What steps say about their job; when a failed one runs again."""

from datetime import UTC, datetime, timedelta

import pytest

from app.jobs import kernel
from app.jobs.kernel import JobStatus, Step

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def step(status: JobStatus, *, attempts: int = 1, error: str | None = None) -> Step:
    return Step(name="test.run", status=status, attempts=attempts, error=error, queue_id=1)


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        (["succeeded", "succeeded"], "succeeded"),
        (["succeeded", "failed"], "failed"),
        (["failed", "cancelled"], "cancelled"),
        (["failed", "queued"], None),
        (["succeeded", "running"], None),
    ],
)
def test_a_job_ends_when_all_its_steps_have(
    statuses: list[JobStatus], outcome: JobStatus | None
) -> None:
    assert kernel.outcome([step(status) for status in statuses]) == outcome


def test_a_steps_own_progress_counts_while_it_runs() -> None:
    half_way = step("running")
    half_way["progress"] = 0.5
    steps = [step("succeeded"), half_way, step("queued"), step("failed")]

    assert kernel.progress(steps) == pytest.approx(2.5 / 4)


def test_a_failed_steps_error_is_told_before_that_of_one_that_is_retried() -> None:
    steps = [step("queued", error="later"), step("failed", error="never")]

    assert kernel.error_of(steps) == "test.run: never"
    assert kernel.error_of(steps[:1]) == "test.run: later"
    assert kernel.error_of([step("succeeded")]) is None


def test_waits_double_up_to_an_hour() -> None:
    waits = [kernel.backoff(attempts, 2).total_seconds() for attempts in (1, 2, 3, 4, 99)]

    assert waits == [2, 4, 8, 16, 3600]


def test_a_retry_gives_way_to_fresh_tasks_and_to_retries_due_before_it() -> None:
    soon = kernel.retry_priority(NOON)
    late = kernel.retry_priority(NOON + timedelta(hours=1))

    assert late < soon < 0
    assert kernel.retry_priority(datetime(2020, 1, 1, tzinfo=UTC)) == -1
    assert kernel.retry_priority(datetime(9999, 1, 1, tzinfo=UTC)) > -(2**31)
