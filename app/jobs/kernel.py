"""Pure parts: what a job's steps say about the job, and when a failed step runs again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NotRequired, TypedDict

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_LEAST_PRIORITY = -(2**31) + 1
_LONGEST_BACKOFF_S = 3_600.0


class Step(TypedDict):
    """One task of a job, as the jobs table keeps it."""

    name: str
    status: JobStatus
    attempts: int
    error: str | None
    queue_id: int
    progress: NotRequired[float]
    waits_since: NotRequired[str]
    """When what it needs was first found away; it has waited for it ever since."""


def is_finished(status: JobStatus) -> bool:
    """Say whether nothing more will happen of itself."""
    return status in {"succeeded", "failed", "cancelled"}


def outcome(steps: Sequence[Step]) -> JobStatus | None:
    """Return how a job ended; ``None`` while a step is left to do."""
    statuses = {step["status"] for step in steps}
    if not all(is_finished(status) for status in statuses):
        return None
    if "cancelled" in statuses:
        return "cancelled"
    return "failed" if "failed" in statuses else "succeeded"


def is_untouched(steps: Sequence[Step]) -> bool:
    """Say whether no step was ever attempted."""
    return all(step["status"] == "queued" and step["attempts"] == 0 for step in steps)


def progress(steps: Sequence[Step]) -> float:
    """Return the share of a job that is done, in [0, 1]."""
    return sum(_share(step) for step in steps) / len(steps)


def _share(step: Step) -> float:
    if is_finished(step["status"]):
        return 1.0
    return step.get("progress", 0.0) if step["status"] == "running" else 0.0


def error_of(steps: Sequence[Step]) -> str | None:
    """Return what a job's user should read: a failed step's error before that of one retried."""
    told = sorted(
        (step for step in steps if step["error"]), key=lambda step: step["status"] != "failed"
    )
    return f"{told[0]['name']}: {told[0]['error']}" if told else None


def backoff(attempts: int, base_s: float) -> timedelta:
    """Return the wait after so many failed attempts: ``base_s`` doubled each time, at most 1 h."""
    return timedelta(seconds=min(base_s * 2.0 ** min(attempts - 1, 30), _LONGEST_BACKOFF_S))


def retry_priority(at: datetime) -> int:
    """Return the queue priority of a task that waits until ``at``: below 0, lower when later.

    The queue lets a waiting task hold up every later one of its owner that has no higher
    priority, even while it may not run yet. Fresh tasks have 0, so no retry holds up a fresh one,
    and of two retries the one due first goes first.
    """
    seconds = int((at - _EPOCH).total_seconds())
    return max(_LEAST_PRIORITY, min(-1, -seconds))
