from pathlib import Path

import pytest
from pydantic import SecretStr

from app.kit.settings import HttpSettings, Settings
from app.launcher import plan

_SECRETS = plan.Secrets("rk_key", "token", "postgresql://somewhere/db")
_OUTSIDE = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "AWS_SECRET_ACCESS_KEY": "not yours",
    "HF_HOME": "/models",
    "APP_LLM__KEY": "sk-1",
    "APP_MIGRATIONS__DATABASE_URL": "postgresql://owner@somewhere/db",
    "APP_SIDECAR__BATCH": "8",
    "APP_BOOTSTRAP_KEY": "rk_key",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=SecretStr("postgresql://somewhere/db"))


def test_the_sidecar_learns_neither_database_nor_keys(settings: Settings) -> None:
    seen = plan.sidecar_command(settings, _OUTSIDE, _SECRETS, 8081).environment

    assert seen["APP_SIDECAR__TOKEN"] == "token"
    assert seen["APP_SIDECAR__BATCH"] == "8"
    assert seen["HF_HOME"] == "/models"
    assert seen["OMP_WAIT_POLICY"] == "PASSIVE"
    assert not {"rk_key", "sk-1", "not yours"} & set(seen.values())
    assert not any("postgresql" in value for value in seen.values())


def test_api_and_worker_get_their_settings_and_nothing_else(settings: Settings) -> None:
    worker, api = plan.service_commands(settings, _OUTSIDE, _SECRETS, 8085)

    for seen in (worker.environment, api.environment):
        assert seen["APP_DATABASE_URL"] == "postgresql://somewhere/db"
        assert seen["APP_EMBEDDINGS__URL"] == "http://127.0.0.1:8085/v1"
        assert seen["APP_EMBEDDINGS__KEY"] == "token"
        assert seen["APP_LLM__KEY"] == "sk-1"
        assert "AWS_SECRET_ACCESS_KEY" not in seen
        assert "APP_MIGRATIONS__DATABASE_URL" not in seen
        assert "APP_SIDECAR__TOKEN" not in seen
    assert api.environment["APP_BOOTSTRAP_KEY"] == "rk_key"
    assert "APP_BOOTSTRAP_KEY" not in worker.environment


def test_another_embedder_is_left_as_it_was_set(settings: Settings) -> None:
    outside = {**_OUTSIDE, "APP_EMBEDDINGS__URL": "http://gpu/v1", "APP_EMBEDDINGS__KEY": "gpu"}

    _, api = plan.service_commands(settings, outside, _SECRETS, None)

    assert api.environment["APP_EMBEDDINGS__URL"] == "http://gpu/v1"
    assert api.environment["APP_EMBEDDINGS__KEY"] == "gpu"


def test_proxy_headers_count_only_from_trusted_proxies(settings: Settings) -> None:
    trusting = settings.model_copy(update={"http": HttpSettings(trusted_proxies="10.0.0.1")})

    _, careful_api = plan.service_commands(settings, _OUTSIDE, _SECRETS, None)
    _, trusting_api = plan.service_commands(trusting, _OUTSIDE, _SECRETS, None)

    assert "--no-proxy-headers" in careful_api.arguments
    assert trusting_api.arguments[-3:] == ("--proxy-headers", "--forwarded-allow-ips", "10.0.0.1")


def test_secrets_do_not_show_in_a_command(settings: Settings) -> None:
    _, api = plan.service_commands(settings, _OUTSIDE, _SECRETS, None)

    assert "rk_key" not in repr(api)
    assert not any("rk_key" in argument for argument in api.arguments)
