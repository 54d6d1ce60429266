"""What the sidecar counts besides its requests."""

from prometheus_client import Counter, Gauge, Histogram

from app.kit.metrics import REGISTRY

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)

batch_seconds = Histogram(
    "remembrancer_sidecar_batch_seconds",
    "Seconds one batch computed.",
    ("lane",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
batch_texts = Histogram(
    "remembrancer_sidecar_batch_texts",
    "Texts in one batch.",
    ("lane",),
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
wait_seconds = Histogram(
    "remembrancer_sidecar_wait_seconds",
    "Seconds from a request's arrival to its first batch.",
    ("lane",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
texts = Counter("remembrancer_sidecar_texts", "Texts encoded.", registry=REGISTRY)
tokens = Counter("remembrancer_sidecar_tokens", "Tokens encoded, no padding.", registry=REGISTRY)
dropped = Counter(
    "remembrancer_sidecar_dropped_texts",
    "Texts not encoded: their caller hung up, or others of the request failed.",
    registry=REGISTRY,
)
rejected = Counter(
    "remembrancer_sidecar_rejected_texts", "Texts refused: the queue was full.", registry=REGISTRY
)
out_of_memory = Counter(
    "remembrancer_sidecar_out_of_memory",
    "Batches the device had no room for.",
    registry=REGISTRY,
)
waiting = Gauge("remembrancer_sidecar_waiting_texts", "Texts that wait.", registry=REGISTRY)
