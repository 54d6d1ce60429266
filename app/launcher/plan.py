"""What the children run, and the little environment each of them sees."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from app.kit.settings import Settings
from app.launcher.children import Command

SIDECAR_PORT = 8081
SIDECAR_HOST = "127.0.0.1"

_COMMON = {"HOME", "LANG", "PATH", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV"}
_COMMON_PREFIXES = ("LC_", "PYTHON", "SSL_CERT_")
_MODEL_PREFIXES = (
    *("CUDA_", "HF_", "LD_", "MALLOC_", "MKL_", "NVIDIA_", "OMP_", "PYTORCH_", "RAYON_"),
    *("TOKENIZERS_", "TORCH_", "TRANSFORMERS_", "XDG_"),
)
_PROXIES = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}
_NOT_FOR_SERVICE = ("APP_SIDECAR__", "APP_MIGRATIONS__", "APP_EXTRAS")


@dataclass(frozen=True)
class Secrets:
    """What the launcher made or found: never shown in full but for the API key."""

    api_key: str
    sidecar_token: str
    database_url: str


def sidecar_command(
    settings: Settings, outside: Mapping[str, str], secrets: Secrets, port: int
) -> Command:
    """Return the sidecar's command; it learns neither the database nor the API key."""
    cores = str(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    environment = {
        # Spinning threads would take the cores from Postgres and the api between batches.
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": cores,
        "RAYON_NUM_THREADS": cores,
        "MALLOC_ARENA_MAX": "2",
        **_common(outside),
        **{k: v for k, v in outside.items() if k.startswith((*_MODEL_PREFIXES, "APP_SIDECAR__"))},
        **{k: v for k, v in outside.items() if k.startswith("APP_LOG__")},
        "APP_DATA_DIR": str(settings.data_dir.absolute()),
        "APP_SIDECAR__HOST": SIDECAR_HOST,
        "APP_SIDECAR__PORT": str(port),
        "APP_SIDECAR__TOKEN": secrets.sidecar_token,
    }
    arguments = _uvicorn("app.sidecar.main:create_app", SIDECAR_HOST, port, drain_s=5)
    return Command("sidecar", arguments, environment)


def service_commands(
    settings: Settings, outside: Mapping[str, str], secrets: Secrets, sidecar_port: int | None
) -> tuple[Command, Command]:
    """Return the commands of worker and api; the bootstrap key is the api's alone."""
    environment = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        **_common(outside),
        **{
            name: value
            for name, value in outside.items()
            if name.startswith("APP_") and not name.startswith(_NOT_FOR_SERVICE)
        },
        "APP_DATA_DIR": str(settings.data_dir.absolute()),
        "APP_DATABASE_URL": secrets.database_url,
    }
    environment.pop("APP_BOOTSTRAP_KEY", None)
    if sidecar_port is not None:
        environment["APP_EMBEDDINGS__URL"] = f"http://{SIDECAR_HOST}:{sidecar_port}/v1"
        environment["APP_EMBEDDINGS__KEY"] = secrets.sidecar_token
    worker = Command("worker", (sys.executable, "-m", "app.cli", "worker"), environment)
    api = Command(
        "api", api_arguments(settings), {**environment, "APP_BOOTSTRAP_KEY": secrets.api_key}
    )
    return worker, api


def api_arguments(settings: Settings) -> tuple[str, ...]:
    """Return the command line of the api, here and in its container."""
    return (
        *_uvicorn(
            "app.main:create_app", settings.host, settings.port, drain_s=settings.http.drain_s
        ),
        *_proxy_options(settings.http.trusted_proxies),
    )


def _common(outside: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in outside.items()
        if name in _COMMON or name.startswith(_COMMON_PREFIXES) or name.lower() in _PROXIES
    }


def _uvicorn(factory: str, host: str, port: int, *, drain_s: int) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "uvicorn", factory, "--factory"),
        *("--host", host, "--port", str(port), "--no-access-log", "--log-level", "warning"),
        *("--http", "app.kit.protocol:BoundedProtocol"),
        # Longer than callers keep an idle connection, or one of them meets a closed one.
        *("--timeout-keep-alive", "75"),
        *("--timeout-graceful-shutdown", str(drain_s), "--no-server-header"),
    )


def _proxy_options(trusted: str) -> tuple[str, ...]:
    if not trusted:
        return ("--no-proxy-headers",)
    return ("--proxy-headers", "--forwarded-allow-ips", trusted)
