"""The fake embedder and the real one, which talks to a running sidecar."""

from collections.abc import AsyncGenerator, Generator

import pytest
from pydantic import SecretStr

from app.embeddings.client import HttpEmbedder
from app.embeddings.fake import FakeEmbedder
from app.embeddings.protocol import Embedder
from app.kit.settings import EmbeddingSettings
from tests.sidecar.live import LiveSidecar

TOKEN = "conformance"


@pytest.fixture(scope="session")
def live_sidecar(tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveSidecar]:
    folder = tmp_path_factory.mktemp("embeddings-sidecar")
    sidecar = LiveSidecar(
        folder / "log", {"APP_SIDECAR__CACHE_DIR": str(folder), "APP_SIDECAR__TOKEN": TOKEN}
    )
    sidecar.wait_until_ready()
    yield sidecar
    sidecar.stop()


@pytest.fixture(params=["fake", "real"])
async def embedder(request: pytest.FixtureRequest) -> AsyncGenerator[Embedder]:
    """Each test that takes this runs with the fake and with the real embedder."""
    embedder: Embedder = FakeEmbedder()
    if request.param == "real":
        sidecar: LiveSidecar = request.getfixturevalue("live_sidecar")
        settings = EmbeddingSettings(url=f"{sidecar.url}/v1", key=SecretStr(TOKEN), batch=8)
        embedder = HttpEmbedder(settings)
    yield embedder
    await embedder.aclose()
