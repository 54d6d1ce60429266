import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.launcher import health
from tests.launcher.live import free_port


@contextmanager
def _answering(status: int, body: bytes) -> Generator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        log_message: Callable[..., None] = lambda *_: None

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"parts": {"database": "ok"}}', health.Health(live=True, ready=True)),
        (200, b'{"parts": {"embedder": "away"}}', health.Health(True, True, ("embedder",))),
        (503, b'{"parts": {"schema": "away"}}', health.Health(True, False, ("schema",))),
        (503, b"loading", health.Health(live=True, ready=False)),
        (200, b"[]", health.Health(live=True, ready=True)),
    ],
)
def test_an_answer_says_what_is_missing(status: int, body: bytes, expected: health.Health) -> None:
    with _answering(status, body) as port:
        state = health.ask("127.0.0.1", port)

    assert state == expected
    assert state.whole == (expected.ready and not expected.missing)


def test_no_answer_is_an_answer() -> None:
    assert health.ask("127.0.0.1", free_port()) == health.Health(live=False, ready=False)
