"""What the environment may say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.sidecar.main import load_settings
from app.sidecar.settings import SidecarSettings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "sidecar.internal"])
def test_beyond_loopback_a_token_is_required(host: str) -> None:
    with pytest.raises(ValidationError, match="APP_SIDECAR__TOKEN"):
        SidecarSettings(host=host)

    assert SidecarSettings.model_validate({"host": host, "token": "secret"}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_on_loopback_none_is_required(host: str) -> None:
    assert SidecarSettings(host=host).token is None


def test_only_variables_with_the_prefix_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "HOST", "MODEL", "DEVICE", "APP_PORT", "APP_HOST", "DATA_DIR"):
        monkeypatch.setenv(name, "9")
    monkeypatch.setenv("APP_SIDECAR__QUEUE", "5000")
    monkeypatch.setenv("APP_DATA_DIR", "/var/lib/remembrancer")
    monkeypatch.setenv("APP_LOG__LEVEL", "error")

    settings = SidecarSettings()

    expected = SidecarSettings(
        queue=5_000, data_dir=Path("/var/lib/remembrancer"), log_level="error"
    )
    assert settings == expected
    assert settings.port == 8081
    assert settings.graph_dir() == Path("/var/lib/remembrancer/sidecar")


def test_a_request_larger_than_the_queue_could_never_pass() -> None:
    with pytest.raises(ValidationError, match="MAX_ITEMS"):
        SidecarSettings(queue=10, max_items=11)


def test_wrong_settings_end_the_process_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SIDECAR__PORT", "none")

    with pytest.raises(SystemExit, match=r"settings are wrong: APP_SIDECAR__PORT: .*\.$"):
        load_settings()


def test_a_server_beyond_loopback_without_a_token_does_not_start() -> None:
    command = [sys.executable, "-m", "uvicorn", "app.sidecar.main:create_app", "--factory"]
    environment = {**os.environ, "APP_SIDECAR__HOST": "0.0.0.0"}

    ended = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)

    assert ended.returncode != 0
    assert b"APP_SIDECAR__TOKEN must be set" in ended.stderr
    assert b"Traceback" not in ended.stderr
