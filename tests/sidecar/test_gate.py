"""Who gets in, by the address they came in by."""

import httpx
import pytest
from starlette.types import Message

from app.sidecar.main import create_app
from app.sidecar.settings import SidecarSettings
from tests.sidecar.conftest import TOKEN
from tests.sidecar.live import LiveSidecar


@pytest.mark.parametrize("path", ["/v1/models", "/v1/embeddings", "/v1/no-such-route"])
@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer wrong", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x"],
)
def test_without_the_token_nothing_under_v1_answers(
    live: LiveSidecar, path: str, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}

    answer = httpx.post(f"{live.url}{path}", headers=headers, content=b"{")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthorized"


def test_the_scheme_is_read_in_any_case(live: LiveSidecar) -> None:
    answer = httpx.get(f"{live.url}/v1/models", headers={"Authorization": f"bearer {TOKEN}"})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/ready", "/openapi.json", "/metrics"])
def test_operators_need_no_token_on_loopback(live: LiveSidecar, path: str) -> None:
    assert httpx.get(f"{live.url}{path}").status_code == 200


async def status(address: str, path: str) -> int:
    """Return the status of a request that came in by an address, no token being set."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    answered: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "server": (address, 8081),
        "client": ("10.0.0.9", 40_000),
        "scheme": "http",
    }
    await create_app(SidecarSettings())(scope, receive, send)
    return answered[0]


@pytest.mark.parametrize("path", ["/v1/models", "/metrics"])
async def test_beyond_loopback_nobody_gets_in_without_a_token_set(path: str) -> None:
    assert await status("10.0.0.7", path) == 401
    assert await status("127.0.0.1", path) != 401
