"""One built graph, one loaded encoder and one running sidecar for all tests here."""

from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from app.sidecar.encoders.onnx import OnnxEncoder
from app.sidecar.settings import SidecarSettings
from tests.sidecar.live import LiveSidecar

TOKEN = "sidecar-token"
LIVE_SETTINGS = {
    "APP_SIDECAR__TOKEN": TOKEN,
    "APP_SIDECAR__MAX_ITEMS": "64",
    "APP_SIDECAR__BODY_BYTES": "1000000",
}


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sidecar-cache")


@pytest.fixture(scope="session")
def settings(cache_dir: Path) -> SidecarSettings:
    return SidecarSettings(cache_dir=cache_dir, backend="onnx")


@pytest.fixture(scope="session")
def encoder(settings: SidecarSettings) -> OnnxEncoder:
    return OnnxEncoder(settings)


@pytest.fixture(scope="session")
def live(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveSidecar]:
    """A sidecar as a process of its own, on a real port, with a token and small limits."""
    log = tmp_path_factory.mktemp("sidecar-live") / "log"
    sidecar = LiveSidecar(log, {**LIVE_SETTINGS, "APP_SIDECAR__CACHE_DIR": str(cache_dir)})
    sidecar.wait_until_ready()
    yield sidecar
    sidecar.stop()


@pytest.fixture
def client(live: LiveSidecar) -> Generator[httpx.Client]:
    with httpx.Client(
        base_url=live.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
    ) as client:
        yield client
