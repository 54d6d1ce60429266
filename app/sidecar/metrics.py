"""Prometheus metrics of one sidecar, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters and histograms, named ``remembrancer_sidecar_…``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.request_seconds = self._histogram(
            "request_seconds", "Time to answer.", _SECONDS, ("route", "status")
        )
        self.batch_seconds = self._histogram("batch_seconds", "Time of one batch.", _SECONDS)
        self.batch_texts = self._histogram("batch_texts", "Texts in one batch.", _TEXTS)
        self.wait_seconds = self._histogram(
            "wait_seconds", "Time from arrival to a request's first batch.", _SECONDS, ("lane",)
        )
        self.texts = self._counter("texts", "Texts encoded.")
        self.tokens = self._counter("tokens", "Tokens encoded, padding not counted.")
        self.dropped = self._counter("dropped_texts", "Texts dropped: their caller hung up.")
        self.rejected = self._counter("rejected_texts", "Texts refused: the queue was full.")
        self.out_of_memory = self._counter("out_of_memory", "Batches the device had no room for.")
        self.waiting = Gauge(
            "remembrancer_sidecar_waiting_texts", "Texts in the queue.", registry=self.registry
        )

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
    ) -> Histogram:
        return Histogram(
            f"remembrancer_sidecar_{name}", text, labels, buckets=buckets, registry=self.registry
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"remembrancer_sidecar_{name}", text, registry=self.registry)
