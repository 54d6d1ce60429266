"""Prometheus metrics of this process."""

from contextlib import AbstractContextManager
from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
    start_http_server,
)

__all__ = [
    "CONTENT_TYPE_LATEST",
    "count_dropped",
    "count_tokens",
    "observe_llm",
    "observe_request",
    "render",
    "serve",
    "set_backlog",
    "set_llm_usage",
    "set_pool",
    "set_queue",
    "stage",
]

Stage = Literal["embed", "sql", "fuse"]

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_BUCKETS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0),
)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_requests = Histogram(
    "remembrancer_http_request_seconds",
    "Seconds from a request's arrival to the end of its answer.",
    ("method", "route", "status"),
    buckets=_BUCKETS,
    registry=REGISTRY,
)
_stages = Histogram(
    "remembrancer_stage_seconds",
    "Seconds spent in one stage of recalls and writes.",
    ("stage",),
    buckets=_BUCKETS,
    registry=REGISTRY,
)
_pool = Gauge(
    "remembrancer_database_connections",
    "Connections of this process's pool, in use and at most.",
    ("state",),
    registry=REGISTRY,
)
_queue = Gauge(
    "remembrancer_queue_tasks",
    "Background tasks by status, in the whole service.",
    ("status",),
    registry=REGISTRY,
)
_backlog = Gauge(
    "remembrancer_queue_backlog",
    "Background tasks that wait, by name, in the whole service.",
    ("task",),
    registry=REGISTRY,
)

_llm = Histogram(
    "remembrancer_llm_seconds",
    "Seconds to an answer of the language model, by how it ended.",
    ("outcome",),
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
    registry=REGISTRY,
)
_llm_tokens = Counter(
    "remembrancer_llm_tokens",
    "Tokens read and written by the language model for this process.",
    ("direction",),
    registry=REGISTRY,
)
_llm_dropped = Counter(
    "remembrancer_llm_dropped_sentences",
    "Sentences and tags of the language model that claimed what no source holds.",
    registry=REGISTRY,
)
_llm_today = Gauge(
    "remembrancer_llm_today",
    "Calls and tokens of the language model since midnight (UTC), in the whole service.",
    ("what",),
    registry=REGISTRY,
)


def stage(name: Stage) -> AbstractContextManager[object]:
    """Time a stage: ``with metrics.stage("sql"): …``."""
    return _stages.labels(name).time()


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; ``route`` is a template, so that labels stay few."""
    known = method if method in _METHODS else "other"
    _requests.labels(known, route, f"{status // 100}xx").observe(seconds)


def set_pool(used: int, size: int) -> None:
    """Say how many connections are in use, and how many there may be."""
    _pool.labels("used").set(used)
    _pool.labels("size").set(size)


def set_queue(depth: dict[str, int]) -> None:
    """Say how many background tasks there are by status."""
    _queue.clear()
    for status, tasks in depth.items():
        _queue.labels(status).set(tasks)


def set_backlog(waiting: dict[str, int]) -> None:
    """Say how many background tasks of each name wait."""
    _backlog.clear()
    for task, tasks in waiting.items():
        _backlog.labels(task).set(tasks)


def observe_llm(outcome: str, seconds: float) -> None:
    """Count one question to the language model; ``outcome`` is ``answered`` or a kind of error."""
    _llm.labels(outcome).observe(seconds)


def count_tokens(prompt: int, completion: int) -> None:
    """Count the tokens of one call of the language model."""
    _llm_tokens.labels("in").inc(prompt)
    _llm_tokens.labels("out").inc(completion)


def count_dropped(sentences: int) -> None:
    """Count sentences, and texts as short as tags, that did not pass the gate."""
    _llm_dropped.inc(sentences)


def set_llm_usage(calls: int, prompt_tokens: int, completion_tokens: int) -> None:
    """Say what the language model has cost since midnight."""
    _llm_today.labels("calls").set(calls)
    _llm_today.labels("tokens_in").set(prompt_tokens)
    _llm_today.labels("tokens_out").set(completion_tokens)


def serve(host: str, port: int) -> None:
    """Serve the metrics of a process that has no other HTTP, from a thread that ends with it."""
    start_http_server(port, host, REGISTRY)


def render() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
