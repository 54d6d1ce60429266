"""One whole server for all acceptance tests, as scripts/serve starts it; a tenant for each."""

import itertools
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.acceptance import memory
from tests.api import with_key
from tests.launcher.live import LiveServer

_names = itertools.count(1)


@dataclass(frozen=True)
class Tenant:
    """A tenant of one test, with a key of each sort."""

    id: str
    admin_key: str
    write_key: str


@pytest.fixture(scope="session")
def server() -> Generator[LiveServer]:
    """Embedded Postgres, the real embedder in its sidecar, worker and api."""
    # Not pytest's own directory: that is private to us, and Postgres may run as another user.
    directory = Path(tempfile.mkdtemp(prefix="remembrancer-acceptance-"))
    directory.chmod(0o711)
    live = LiveServer(directory / "data")
    try:
        live.start()
        yield live
    finally:
        live.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def operator(server: LiveServer) -> Generator[httpx.Client]:
    """Whoever runs the service."""
    headers = with_key(server.api_key)
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def tenant(server: LiveServer, operator: httpx.Client) -> Tenant:
    """A fresh tenant: what a test does to it harms no other test."""
    made = operator.post("/v1/tenants", json={"name": f"acceptance {next(_names)}"})
    assert made.status_code == 201, made.text
    admin_key = str(made.json()["key"]["key"])
    written = httpx.post(
        f"{server.url}/v1/keys",
        json={"name": "acceptance", "scopes": ["write"]},
        headers=with_key(admin_key),
    )
    assert written.status_code == 201, written.text
    return Tenant(made.json()["id"], admin_key, str(written.json()["key"]))


@pytest.fixture
def client(server: LiveServer, tenant: Tenant) -> Generator[httpx.Client]:
    """An application with a write key of the test's tenant."""
    headers = with_key(tenant.write_key)
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as opened:
        yield opened


@pytest.fixture
def lean(server: LiveServer) -> Generator[None]:
    """Hold the test to leaving the api's process alive, well and below 300 MB at its peak."""
    process = server.children()["api"]
    memory.forget_peak(process)
    yield
    assert server.children().get("api") == process, "the api's process died"
    assert server.is_ready
    assert memory.peak_mb(process) < 300
