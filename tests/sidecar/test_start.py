"""Starting, being ready, failing to load, stopping."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.sidecar import registry
from app.sidecar.encoders.onnx import OnnxEncoder
from app.sidecar.errors import ModelLoadError
from app.sidecar.main import create_app
from app.sidecar.settings import SidecarSettings
from tests.sidecar.live import LiveSidecar


async def test_before_the_model_is_loaded_it_lives_but_is_not_ready() -> None:
    transport = httpx.ASGITransport(create_app(SidecarSettings()))  # without lifespan: no load
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        live = await client.get("/healthz/live")
        ready = await client.get("/healthz/ready")
        models = await client.get("/v1/models")

    assert live.status_code == 200
    assert (ready.status_code, ready.json()["code"]) == (503, "not-ready")
    assert ready.json()["parts"] == {"model": "away"}
    assert (models.status_code, models.headers["Retry-After"]) == (503, "1")


def test_a_model_that_cannot_be_loaded_ends_the_process_with_a_reason(tmp_path: Path) -> None:
    sidecar = LiveSidecar(tmp_path / "log", {"APP_SIDECAR__MODEL_PATH": str(tmp_path)})

    assert sidecar.process.wait(timeout=60) != 0
    assert "holds no model.safetensors" in sidecar.said
    assert "Traceback" not in sidecar.said


def test_it_stops_when_told(tmp_path: Path, cache_dir: Path, encoder: OnnxEncoder) -> None:
    sidecar = LiveSidecar(tmp_path / "log", {"APP_SIDECAR__CACHE_DIR": str(cache_dir)})
    sidecar.wait_until_ready()

    sidecar.stop()

    assert "Traceback" not in sidecar.said


@pytest.mark.parametrize(
    ("settings", "gpus", "has_torch", "backend"),
    [
        ({}, 0, True, "onnx"),
        ({}, 0, False, "onnx"),
        ({}, 1, True, "torch"),
        ({}, 1, False, "onnx"),
        ({"device": "cpu"}, 1, True, "onnx"),
        ({"device": "cuda"}, 0, True, "torch"),
        ({"model": "other"}, 0, True, "torch"),
        ({"backend": "onnx"}, 1, True, "onnx"),
        ({"backend": "torch"}, 0, True, "torch"),
    ],
)
def test_the_backend_follows_the_device_and_the_model(
    settings: dict[str, str],
    gpus: int,
    has_torch: bool,
    backend: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda _: object() if has_torch else None)

    chosen = registry.backend_name(SidecarSettings.model_validate(settings), gpus=gpus)

    assert chosen == backend


def test_another_model_without_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda _: None)

    with pytest.raises(ModelLoadError, match="extra `torch`"):
        registry.load(SidecarSettings(model="some/model"))
    with pytest.raises(ModelLoadError, match="needs torch"):
        registry.load(SidecarSettings(model="some/model", backend="onnx"))


def test_the_default_backend_loads_neither_torch_nor_a_database(
    encoder: OnnxEncoder, cache_dir: Path
) -> None:
    loaded = set(
        modules_after(
            f"from app.sidecar import main, registry, settings; "
            f"registry.load(settings.SidecarSettings(cache_dir={str(cache_dir)!r}))"
        )
    )

    assert "onnxruntime" in loaded
    assert loaded.isdisjoint({"torch", "transformers", "sqlalchemy", "psycopg", "onnx"})


def modules_after(program: str) -> Iterator[str]:
    """Yield the modules that a program leaves loaded."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    yield from ended.stdout.splitlines()
