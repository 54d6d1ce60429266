import socket

import pytest

from app.launcher import ports
from app.launcher.errors import LaunchError


def _listening() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


def test_a_taken_port_is_named_with_its_setting() -> None:
    with _listening() as taken:
        port = taken.getsockname()[1]

        with pytest.raises(LaunchError, match=rf"Port {port} .* in use.*APP_PORT"):
            ports.check_free("127.0.0.1", port, "APP_PORT")


def test_an_unknown_address_is_named() -> None:
    with pytest.raises(LaunchError, match=r"no\.such\.host\.invalid"):
        ports.check_free("no.such.host.invalid", 8080, "APP_PORT")


def test_another_port_stands_in_for_a_taken_one() -> None:
    with _listening() as taken:
        port = taken.getsockname()[1]

        other = ports.free_port("127.0.0.1", port)

    assert other != port
    assert ports.free_port("127.0.0.1", other) == other


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("memory.example", "http://memory.example:1"),
    ],
)
def test_the_url_is_one_a_client_can_use(host: str, url: str) -> None:
    assert ports.http_url(host, 1) == url
