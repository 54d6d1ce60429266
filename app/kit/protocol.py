"""How requests are read from a socket: uvicorn's protocol, with bounds on the head of a request.

By itself uvicorn would take headers without end, in a time that grows with their square, and wait
for them for ever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 65_536
"""Bytes of a request line with its headers, beyond which the connection is refused."""

HEAD_WITHIN_S = 30.0
"""Seconds in which a request's head must have arrived."""

_REFUSAL = b"Request header fields too large."
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\n"
    b"connection: close\r\n\r\n"
    b"%s"
) % (len(_REFUSAL), _REFUSAL)


class BoundedProtocol(HttpToolsProtocol):
    """Reads one connection's requests."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  -- uvicorn's own
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._reads_head = True
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to count and to wait."""
        super().on_message_begin()
        self._reads_head = True
        self._head_bytes = 0
        self._await_head()

    def on_headers_complete(self) -> None:
        """Stop counting and waiting: the body has bounds of its own."""
        self._reads_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read what arrived; refuse a head that is still not whole after so much."""
        super().data_received(data)
        if not self._reads_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _await_head(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
