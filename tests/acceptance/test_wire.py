"""What an enemy does below HTTP's good manners: heads without end, pauses without end."""

import socket
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from app.kit.protocol import MOST_HEAD_BYTES
from tests.acceptance.conftest import Tenant
from tests.api import code_of
from tests.launcher.live import LiveServer

pytestmark = [pytest.mark.pg, pytest.mark.live, pytest.mark.usefixtures("lean")]

_ENOUGH = 50_000_000
_PIECE = b"a" * 60_000


@contextmanager
def _connection(server: LiveServer) -> Generator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as opened:
        yield opened


def _answer(connection: socket.socket) -> bytes:
    """Return the first line of the answer; nothing if the server hung up without one."""
    try:
        return connection.recv(4096).partition(b"\r\n")[0]
    except ConnectionResetError:
        return b""


def _poured(server: LiveServer, begin: bytes, piece: bytes) -> tuple[int, bytes]:
    """Send pieces for as long as the server takes them; return how many bytes, and its answer."""
    with _connection(server) as connection:
        connection.sendall(begin)
        sent = 0
        try:
            while sent < _ENOUGH:
                connection.sendall(piece)
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            return sent, b""
        return sent, _answer(connection)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /healthz/live HTTP/1.1\r\nHost: a\r\n", b"X-Many: aaaaaaaa\r\n" * 3_000),
        (b"GET /healthz/live HTTP/1.1\r\nHost: a\r\nX-Long: ", _PIECE),
        (b"GET /healthz/live HTTP/1.1\r\nHost: a\r\n", _PIECE),
        (b"GET /", _PIECE),
        (_PIECE, _PIECE),
        (b"\r\n", b"\r\n" * 30_000),
    ],
    ids=["many headers", "a long header", "a long name", "a long path", "a long method", "blanks"],
)
def test_a_head_without_end_is_cut_off(server: LiveServer, begin: bytes, piece: bytes) -> None:
    sent, answer = _poured(server, begin, piece)

    assert sent < _ENOUGH
    assert answer in {b"", b"HTTP/1.1 431 Request Header Fields Too Large"}


def test_a_head_that_is_merely_long_is_read(server: LiveServer) -> None:
    headers = {f"X-{number}": "a" * 1_000 for number in range(MOST_HEAD_BYTES // 1_100)}

    answer = httpx.get(f"{server.url}/healthz/live", headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz/live HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/recall HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /v1/recall HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /v1/recall HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Length: 3\r\n\r\n0\r\n\r\n",
        b"POST /v1/recall HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
        b"GET /healthz/live HTTP/9.9\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"GET /healthz/live HTTP/1.1\r\nX: a\x00b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_not_http_is_refused(server: LiveServer, head: bytes) -> None:
    with _connection(server) as connection:
        connection.sendall(head)
        answer = _answer(connection)

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer


@pytest.mark.parametrize(
    "key", ["", "Bearer", "Bearer \xff\xfe", "Basic YTpi", "Bearer " + "x" * 30_000]
)
def test_a_key_that_is_none_is_refused(server: LiveServer, key: str) -> None:
    for header in ("Authorization", "X-API-Key"):
        headers = [(header.encode(), key.encode("latin-1"))]
        answer = httpx.get(f"{server.url}/v1/users", headers=headers)

        assert answer.status_code == 401
        assert code_of(answer) in {"missing-api-key", "invalid-api-key"}


def test_odd_headers_change_nothing(client: httpx.Client) -> None:
    for headers in (
        {"X-Request-ID": "a b" * 500},
        {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "gopher"},
        {"Host": "evil.test"},
        {"Accept": "image/png"},
        {"Accept-Encoding": "br;q=banana"},
        {"Range": "bytes=0-1"},
        {"If-None-Match": "*"},
        {"Connection": "upgrade", "Upgrade": "websocket"},
        {"Expect": "100-continue"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"Cookie": "a=" + "b" * 4_000},
    ):
        answer = client.get("/v1/users", headers=headers)

        assert answer.status_code == 200, headers
        assert answer.json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("odd", ["", "a b", "é", "x" * 256])
def test_an_idempotency_key_is_a_short_word(client: httpx.Client, odd: str) -> None:
    body = {"user_id": "alice", "items": [{"content": "Good morning."}]}

    headers = [(b"Idempotency-Key", odd.encode())]
    answer = client.post("/v1/memories", json=body, headers=headers)

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")


def test_slow_clients_hold_up_nobody_else(
    server: LiveServer, tenant: Tenant, client: httpx.Client
) -> None:
    head = (
        f"POST /v1/recall HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {tenant.write_key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
    ).encode()
    with ExitStack() as stack:
        slow = [stack.enter_context(_connection(server)) for _ in range(200)]
        for index, connection in enumerate(slow):
            connection.sendall(head if index % 2 else head[:20])
        began = time.monotonic()

        for _ in range(20):
            assert client.get("/v1/users").status_code == 200
        assert client.get("/healthz/ready").status_code == 200

        assert time.monotonic() - began < 10


def test_a_client_that_leaves_amid_its_body_leaves_nothing_behind(
    server: LiveServer, tenant: Tenant, client: httpx.Client
) -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"user_id": "alice", "items": [{"content": "half'
        raise ConnectionError

    for _ in range(20):
        with pytest.raises(ConnectionError):
            client.post(
                "/v1/memories", content=broken(), headers={"Content-Type": "application/json"}
            )

    assert client.get("/v1/memories", params={"user_id": "alice"}).json()["items"] == []


def test_requests_sent_without_waiting_are_answered_in_order(
    server: LiveServer, tenant: Tenant
) -> None:
    request = (
        f"GET /v1/users HTTP/1.1\r\nHost: a\r\nX-API-Key: {tenant.write_key}\r\n"
        "X-Request-ID: n-%d\r\n\r\n"
    )
    with _connection(server) as connection:
        connection.sendall("".join(request % number for number in range(50)).encode())
        answered = b""
        while answered.count(b'"next_cursor"') < 50:
            answered += connection.recv(65_536)

    places = [answered.index(b"x-request-id: n-%d\r\n" % number) for number in range(50)]
    assert places == sorted(places)
