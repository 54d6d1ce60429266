"""The OpenAPI document: held to a snapshot, and good enough to generate a client from."""

import json
import os
import subprocess
import sys
from pathlib import Path

from app.sidecar.main import create_app
from app.sidecar.settings import SidecarSettings
from tests.sidecar.conftest import TOKEN
from tests.sidecar.live import LiveSidecar

SNAPSHOT = Path(__file__).with_name("openapi.json")

ONE_CALL = """
import sys
sys.path.insert(0, sys.argv[1])
from sidecar_client import AuthenticatedClient
from sidecar_client.api.embeddings import create_embeddings
from sidecar_client.models import EmbeddingRequest

client = AuthenticatedClient(base_url=sys.argv[2], token=sys.argv[3])
request = EmbeddingRequest(input_=["one", "two"], model="all-MiniLM-L6-v2")
answer = create_embeddings.sync(client=client, body=request)
print([len(row.embedding) for row in answer.data], answer.usage.total_tokens)
"""


def test_the_document_is_the_snapshot() -> None:
    """Set UPDATE_SNAPSHOTS=1 to write it anew, and look at the difference."""
    document = json.dumps(create_app(SidecarSettings()).openapi(), indent=1, ensure_ascii=False)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(f"{document}\n")

    assert json.loads(SNAPSHOT.read_text()) == json.loads(document)


def test_every_operation_has_an_id_and_says_how_it_fails() -> None:
    document = json.loads(SNAPSHOT.read_text())
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        failures = {status for status in operation["responses"] if status >= "400"}
        assert failures, operation["operationId"]
        for status in failures:
            (content,) = operation["responses"][status]["content"].values()
            assert content["examples"]


def test_a_generated_client_embeds(live: LiveSidecar, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"post_hooks": [], "package_name_override": "sidecar_client"}')
    target = tmp_path / "client"
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    arguments = ["--path", str(SNAPSHOT), "--config", str(config), "--output-path"]
    package = target / "sidecar_client"
    target.mkdir()
    subprocess.run(
        [*generate, "--fail-on-warning", *arguments, str(package)], check=True, timeout=120
    )

    call = [sys.executable, "-c", ONE_CALL, str(target), live.url, TOKEN]
    answered = subprocess.run(call, capture_output=True, text=True, check=True, timeout=60)

    assert answered.stdout.strip() == "[384, 384] 6"
