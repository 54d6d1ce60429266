"""The verbs of jobs: callers queue, read, retry and cancel them; the worker runs them."""

from app.jobs.service.asides import LONGEST_WAIT_S, MOST_IN_A_ROW, Asides
from app.jobs.service.control import cancel, enqueue, retry
from app.jobs.service.reading import backlog, find, is_due, page, queue_depth
from app.jobs.service.running import Result, begin, cancel_is_requested, finish, note_progress
from app.jobs.service.upkeep import (
    held_by,
    open_house,
    prune,
    repair,
    rescue,
    try_housekeeping,
)

__all__ = [
    "LONGEST_WAIT_S",
    "MOST_IN_A_ROW",
    "Asides",
    "Result",
    "backlog",
    "begin",
    "cancel",
    "cancel_is_requested",
    "enqueue",
    "find",
    "finish",
    "held_by",
    "is_due",
    "note_progress",
    "open_house",
    "page",
    "prune",
    "queue_depth",
    "repair",
    "rescue",
    "retry",
    "try_housekeeping",
]
