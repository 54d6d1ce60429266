"""all-MiniLM-L6-v2 in ONNX Runtime: the default on a machine without a GPU."""

import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from app.kit.logging import get_logger
from app.sidecar.encoder import Encoded
from app.sidecar.encoders import weights
from app.sidecar.settings import DEFAULT_MODEL, SidecarSettings
from app.sidecar.tokens import TextTokenizer

GRAPH_VERSION = 1  # part of the cache key: raise it with every change of minilm_graph
_WINDOW = 256
_URGENT_THREADS = 4  # a query's products are too small to share among more
_logger = get_logger("sidecar")


class OnnxEncoder:
    """Two sessions on the CPU: all threads on one batch, or one thread for each of several.

    The first answers a query soonest. The second encodes more texts a second, because no thread
    waits for another, most of all where other programs take a processor now and then.
    """

    name = DEFAULT_MODEL
    backend = "onnx/cpu"
    # A batch computes for about 80 ms on one core: larger ones are no faster.
    batch_tokens = 256

    def __init__(self, settings: SidecarSettings) -> None:
        folder = weights.default_model_dir(settings)
        graph = load_graph(folder / "model.safetensors", settings.graph_dir())
        self.tokenizer = TextTokenizer.from_file(folder / "tokenizer.json", max_tokens=_WINDOW)
        threads = settings.processors()
        self.parallel = threads
        self._processors = _own_processors(min(threads, _URGENT_THREADS))
        self._urgent = _session(
            graph,
            min(threads, _URGENT_THREADS),
            spin=settings.spin,
            helpers=self._processors[1:],
        )
        self._bulk = self._urgent
        if threads > 1:
            self._bulk = _session(graph, 1, spin=False, helpers=())
        self.dimensions: int = self._urgent.get_outputs()[0].shape[1]

    def encode(
        self, ids: NDArray[np.int32], lengths: NDArray[np.int32], *, signs: bool, urgent: bool
    ) -> Encoded:
        """Encode one batch; see ``Encoder.encode``."""
        outputs = ["embedding", "states"] if signs else ["embedding"]
        session = self._urgent if urgent else self._bulk
        with _staying_on(self._processors if urgent else ()):
            vectors, *states = session.run(outputs, {"ids": ids, "lengths": lengths})
        return Encoded(vectors, states[0] > 0 if signs else None)


def _session(
    graph: bytes, threads: int, *, spin: bool, helpers: Sequence[int]
) -> ort.InferenceSession:
    """Open a session whose helping threads stay on the given processors, if any are given."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning wins little on an idle machine and doubles the time on a busy one. Where it is
    # wanted it ends with each run, so that Postgres and the api have the processors in between.
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if helpers:  # one list for each thread, counted from 1
        places = ";".join(str(processor + 1) for processor in helpers)
        options.add_session_config_entry("session.intra_op_thread_affinities", places)
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _own_processors(threads: int) -> tuple[int, ...]:
    """Return a processor for each thread, where the threads fill the machine; else none.

    After a pause Linux wakes a helper on the waker's processor, and moves it too late for a query
    of a few milliseconds: measured, 6.0 ms instead of 3.8. On a larger machine it finds idle ones.
    """
    if threads == 1 or not hasattr(os, "sched_getaffinity"):
        return ()
    allowed = sorted(os.sched_getaffinity(0))
    return tuple(allowed) if len(allowed) == threads else ()


@contextmanager
def _staying_on(processors: Sequence[int]) -> Iterator[None]:
    """Keep this thread on the first processor, as its helpers stay on the others."""
    if not processors:
        yield
        return
    _move_to(processors[:1])
    try:
        yield
    finally:
        _move_to(processors)


def _move_to(processors: Sequence[int]) -> None:
    with suppress(OSError):  # taken from us since the start: then the system chooses
        os.sched_setaffinity(0, processors)


def load_graph(source: Path, folder: Path) -> bytes:
    """Return the model's graph from the cache, or build it and keep it there.

    A cached graph counts only with its own digest beside it, so a damaged one is built anew.
    A folder that cannot be written costs the build at each start, nothing else.
    """
    path = folder / f"{DEFAULT_MODEL}-{weights.SHA256[:16]}-{GRAPH_VERSION}.onnx"
    cached = _read(path)
    if cached is not None:
        return cached
    # Imported here: only a first start needs the builder, and it takes memory.
    from safetensors.numpy import load_file  # noqa: PLC0415

    from app.sidecar.encoders import minilm_graph  # noqa: PLC0415

    started = time.perf_counter()
    weights.check(source)
    graph = minilm_graph.build(load_file(source))
    try:
        _keep(path, graph)
    except OSError as error:
        _logger.warning("graph_not_cached", reason=error.strerror)
    _logger.info("graph_built", seconds=round(time.perf_counter() - started, 2))
    return graph


def _digest_path(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _read(path: Path) -> bytes | None:
    try:
        digest = _digest_path(path).read_text("ascii")
        graph = path.read_bytes()
    except (OSError, UnicodeDecodeError):
        return None
    return graph if hashlib.sha256(graph).hexdigest() == digest else None


def _keep(path: Path, graph: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.tmp"):  # by a start that was killed while it wrote
        left.unlink(missing_ok=True)
    _replace(path, graph)
    _replace(_digest_path(path), hashlib.sha256(graph).hexdigest().encode())


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
