"""A Python client generated from the contract stores, recalls and deletes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import Tenant
from tests.acceptance.snapshot import REFERENCE
from tests.launcher.live import LiveServer

pytestmark = [pytest.mark.pg, pytest.mark.live]

_ROUND_TRIP = """
import sys
sys.path.insert(0, sys.argv[1])
from remembrancer_client import AuthenticatedClient
from remembrancer_client.api.memories import create_memories, erase_memory, list_memories
from remembrancer_client.api.memories import read_memory
from remembrancer_client.api.recall import recall
from remembrancer_client.models import MemoriesCreate, MemoryItem, Problem, RecallRequest

client = AuthenticatedClient(base_url=sys.argv[2], token=sys.argv[3])
said = ("I adopted a grey cat called Miso.", "The boiler was repaired on Tuesday.")
items = [MemoryItem(content=content, role="user") for content in said]
body = MemoriesCreate(user_id="alice", session_id="chat-1", items=items)

stored = create_memories.sync(client=client, body=body, idempotency_key="first")
again = create_memories.sync(client=client, body=body, idempotency_key="first")
assert again.items == stored.items
assert [item.status.value for item in stored.items] == ["created", "created"]

question = RecallRequest(query="What pet does she have?", user_id="alice", explain=True)
found = recall.sync(client=client, body=question)
first = found.hits[0]
assert first.content == said[0], found
assert first.id == stored.items[0].id
assert first.explain.dense.rank == 1
assert found.degraded == []

deleted = erase_memory.sync_detailed(first.id, client=client)
assert deleted.status_code == 204
gone = read_memory.sync(first.id, client=client)
assert isinstance(gone, Problem) and gone.code == "memory-not-found", gone
left = list_memories.sync(client=client, user_id="alice")
assert [memory.content for memory in left.items] == [said[1]]
assert said[0] not in [hit.content for hit in recall.sync(client=client, body=question).hits]

stranger = AuthenticatedClient(base_url=sys.argv[2], token="rk_nobody-knows-this-key")
refused = recall.sync(client=stranger, body=question)
assert refused.code == "invalid-api-key" and refused.status == 401, refused
sys.stdout.write("done")
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with the generated package; whatever the generator would only warn of fails."""
    directory = tmp_path_factory.mktemp("client")
    config = directory / "config.json"
    config.write_text(
        json.dumps(
            {
                "post_hooks": [],
                "package_name_override": "remembrancer_client",
                # The generator knows no pictures and no lines of JSON: they come as files.
                "content_type_overrides": {
                    "image/svg+xml": "application/octet-stream",
                    "application/jsonl": "application/octet-stream",
                },
            }
        )
    )
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    document = ["--path", str(REFERENCE / "openapi.json"), "--config", str(config)]
    output = ["--fail-on-warning", "--output-path", str(directory / "remembrancer_client")]
    subprocess.run([*generate, *document, *output], check=True, timeout=120)
    return directory


def test_every_operation_has_a_function_in_the_generated_client(package: Path) -> None:
    document = json.loads((REFERENCE / "openapi.json").read_text())
    operations = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }

    modules = {path.stem for path in (package / "remembrancer_client" / "api").glob("*/*.py")}

    assert modules - {"__init__"} == operations


def test_a_generated_client_stores_recalls_and_deletes(
    package: Path, server: LiveServer, tenant: Tenant
) -> None:
    call = [sys.executable, "-c", _ROUND_TRIP, str(package), server.url, tenant.write_key]

    answered = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)

    assert answered.returncode == 0, answered.stderr
    assert answered.stdout == "done"
