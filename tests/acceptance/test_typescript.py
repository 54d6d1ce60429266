"""TypeScript types generated from the contract compile, and hold a client to it."""

import hashlib
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.snapshot import REFERENCE

_HERE = Path(__file__).parent / "typescript"
_NEVER = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"]
_STRICT = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"]
_MODERN = [
    "--target",
    "es2022",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
    "--lib",
    "es2022,dom",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("node") is None or shutil.which("npm") is None,
        reason="Node and npm are not here: the TypeScript client check was skipped",
    ),
]


@pytest.fixture(scope="module")
def tools() -> Path:
    """Directory of the installed generator and compiler; kept until their versions change."""
    lock = (_HERE / "package-lock.json").read_bytes()
    name = f"remembrancer-typescript-{hashlib.sha256(lock).hexdigest()[:16]}"
    kept = Path(tempfile.gettempdir()) / name
    if kept.exists():
        return kept / "node_modules"
    making = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    for file in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / file, making)
    subprocess.run(["npm", "ci", *_NEVER], cwd=making, check=True, timeout=240)
    with suppress(OSError):  # another run was faster
        making.rename(kept)
    return kept / "node_modules"


@pytest.fixture(scope="module")
def compiled(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with the generated types."""
    directory = tmp_path_factory.mktemp("types")
    generator = tools / "openapi-typescript" / "bin" / "cli.js"
    # Else the generator would demand every member that has a default.
    options = ["--default-non-nullable", "false", "--output", "schema.ts"]
    command = ["node", str(generator), str(REFERENCE / "openapi.json"), *options]
    subprocess.run(command, cwd=directory, check=True, timeout=120, capture_output=True)
    return directory


def _compile(tools: Path, directory: Path, *files: str) -> subprocess.CompletedProcess[str]:
    compiler = ["node", str(tools / "typescript" / "bin" / "tsc")]
    command = [*compiler, *_STRICT, *_MODERN, *files]
    return subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=240, check=False
    )


def test_a_client_written_against_the_generated_types_compiles(tools: Path, compiled: Path) -> None:
    shutil.copy(_HERE / "usage.ts", compiled)

    made = _compile(tools, compiled, "schema.ts", "usage.ts")

    assert made.returncode == 0, made.stdout


def test_a_client_that_misreads_the_contract_does_not_compile(tools: Path, compiled: Path) -> None:
    (compiled / "wrong.ts").write_text(
        'import type { components } from "./schema";\n'
        'export const wrong: components["schemas"]["Hit"]["score"] = "high";\n'
    )

    made = _compile(tools, compiled, "wrong.ts")

    assert "error TS2322" in made.stdout


def test_the_lock_names_versions_and_hashes_but_no_host() -> None:
    lock = (_HERE / "package-lock.json").read_text()

    assert '"integrity": "sha512-' in lock
    assert '"resolved"' not in lock
