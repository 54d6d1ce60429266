"""Requests made up from the contract: none breaks the server, every answer is a documented one.

``SCHEMATHESIS_EXAMPLES`` asks for more cases an operation, ``SCHEMATHESIS_SEED`` for others.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance import hooks
from tests.acceptance.conftest import Tenant
from tests.launcher.live import ROOT, LiveServer

pytestmark = [pytest.mark.pg, pytest.mark.live, pytest.mark.slow, pytest.mark.usefixtures("lean")]

_EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "")
_SEED = os.environ.get("SCHEMATHESIS_SEED") or str(secrets.randbelow(2**31))
_CONFIG = Path(__file__).with_name("schemathesis.toml")


def _attack(
    server: LiveServer, key: str, directory: Path, *options: str, examples: int, spared: str = ""
) -> None:
    """Run schemathesis against a server; fail with its report."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "run"]
    size = ["--max-examples", _EXAMPLES or str(examples), "--seed", _SEED, "--workers", "2"]
    shape = [
        "--warnings",
        "off",
        "--no-color",
        "--continue-on-failure",
        "--generation-database",
        "none",
    ]
    who = ["--header", f"Authorization: Bearer {key}", f"{server.url}/openapi.json"]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": hooks.__name__,
        hooks.SPARED_KEYS: spared,
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [*command, *size, *shape, *options, *who],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(done.stdout[-2000:])
    assert done.returncode == 0, f"seed {_SEED}\n{done.stdout}\n{done.stderr}"


@pytest.mark.timeout(3600 if _EXAMPLES else 300)
def test_whatever_the_operator_sends_is_answered_as_documented(
    server: LiveServer, operator: httpx.Client, tmp_path: Path
) -> None:
    keys = operator.get("/v1/keys", params={"limit": 200}).json()["items"]
    spared = ",".join(key["id"] for key in keys)

    _attack(server, server.api_key, tmp_path, examples=5, spared=spared)

    assert operator.get("/v1/keys").status_code == 200


@pytest.mark.timeout(3600 if _EXAMPLES else 300)
def test_whatever_an_application_sends_is_answered_as_documented(
    server: LiveServer, tenant: Tenant, client: httpx.Client, tmp_path: Path
) -> None:
    phases = ["--phases", "examples,fuzzing,stateful"]

    _attack(server, tenant.write_key, tmp_path, *phases, examples=5)

    assert client.get("/v1/users").status_code == 200
