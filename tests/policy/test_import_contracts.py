"""Every import contract is proven by breaking it on purpose, in a copy of the tree."""

import configparser
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.policy.lint_cases import Case

ROOT = Path(__file__).parents[2]

ROOMS = "Rooms are stacked; a lower room never imports a higher one"
INSIDE = "Inside a room, top to bottom"
DOOR = "A room is entered by its front door"
REPOSITORIES = "Repositories are a room's own business"
KERNELS = "Kernels are pure"
TORCH = "Only the sidecar knows torch, and nobody imports the sidecar"
WIRE = "The sidecar sits on the wire contract and the kit"
SHARES = "The sidecar shares the wire contract and the kit, nothing else"
NO_DATABASE = "The sidecar has no database"
PAPERS = "Papers do not know each other"

NOT_A_ROOM = {"kit", "launcher", "sidecar"}
"""Packages of ``app/`` whose inside has an order of its own."""

Violation = tuple[str, str, str, set[str]]
"""What is done, to which file, by which line, and the contracts that must notice: all of them."""

VIOLATIONS: list[Violation] = [
    # Rooms, from the lowest up.
    ("kit imports jobs", "app/kit/clock.py", "import app.jobs.kernel", {ROOMS}),
    ("jobs imports tenants", "app/jobs/protocol.py", "import app.tenants.schemas", {ROOMS}),
    ("wire imports embeddings", "app/inference/client.py", "import app.embeddings.client", {ROOMS}),
    ("embeddings imports llm", "app/embeddings/client.py", "import app.llm", {ROOMS}),
    ("llm imports embeddings", "app/llm/service.py", "import app.embeddings.client", {ROOMS}),
    ("llm imports tenants", "app/llm/repository.py", "import app.tenants.schemas", {ROOMS}),
    ("tenants imports episodes", "app/tenants/service/owners.py", "import app.episodes.service",
     {ROOMS}),
    ("episodes imports memories", "app/episodes/service.py", "import app.memories.service",
     {ROOMS}),
    ("a mechanism imports memories", "app/forgetting/service/law.py",
     "import app.memories.service", set()),
    ("forgetting imports linking", "app/forgetting/service/law.py", "import app.linking.service",
     {ROOMS}),
    ("a mechanism is imported by memories", "app/memories/service/adding.py",
     "import app.forgetting.service", {ROOMS}),
    ("thoughts imports linking", "app/thoughts/service/storing.py", "import app.linking.service",
     {ROOMS}),
    ("a profile imports thoughts", "app/profiles/service/composing.py",
     "import app.thoughts.service", {ROOMS}),
    ("memories imports ingestion", "app/memories/service/adding.py", "import app.ingestion.service",
     {ROOMS}),
    ("ingestion imports retrieval", "app/ingestion/service/writing.py",
     "import app.retrieval.service", {ROOMS}),
    ("a room imports the application", "app/retrieval/dependencies.py", "import app.main",
     {ROOMS, INSIDE}),
    ("a room imports the launcher", "app/jobs/service/upkeep.py", "import app.launcher.migrations",
     {ROOMS}),
    ("linking imports retrieval", "app/linking/service/reading.py", "import app.retrieval.service",
     {ROOMS}),
    ("an undeclared room", "app/gossip/service.py", "", {ROOMS}),
    # Inside a room.
    ("repository imports service", "app/episodes/repository.py", "import app.episodes.service",
     {INSIDE}),
    ("schemas import models", "app/episodes/schemas.py", "import app.episodes.models", {INSIDE}),
    ("service imports router", "app/ingestion/service/writing.py", "import app.ingestion.router",
     {INSIDE}),
    ("router imports tasks", "app/ingestion/router.py", "import app.ingestion.tasks", {INSIDE}),
    ("a gate imports the client", "app/llm/gate.py", "import app.llm.client", {INSIDE}),
    ("a kernel imports errors", "app/retrieval/kernel/scoring.py", "import app.retrieval.errors",
     {INSIDE, KERNELS}),
    ("a room with utils.py", "app/memories/utils.py", "", {INSIDE}),
    ("a room with helpers.py", "app/inference/helpers.py", "", {INSIDE}),
    # Whose modules are whose.
    ("a room uses another's repository", "app/retrieval/service/context.py",
     "import app.episodes.repository", {REPOSITORIES}),
    ("a room uses a file of another's repository", "app/retrieval/service/context.py",
     "import app.memories.repository.rows", {REPOSITORIES, DOOR}),
    ("the application uses a repository", "app/main.py", "import app.episodes.repository",
     {REPOSITORIES}),
    ("a room reaches behind another's service", "app/ingestion/service/writing.py",
     "import app.memories.service.background", {DOOR}),
    ("the application reaches behind a router", "app/main.py", "import app.tenants.router.keys",
     {DOOR}),
    ("a room uses another's router", "app/retrieval/router.py", "import app.memories.router",
     {DOOR}),
    ("a room uses another's tasks", "app/ingestion/tasks.py", "import app.memories.tasks", {DOOR}),
    ("a room uses a fake", "app/memories/service/spaces.py", "import app.embeddings.fake", {DOOR}),
    # Kernels.
    ("a kernel with a database", "app/memories/kernel.py", "import sqlalchemy", {KERNELS}),
    ("a kernel with schemas", "app/retrieval/kernel/scoring.py", "import pydantic", {KERNELS}),
    ("a kernel with a web framework", "app/tenants/kernel.py", "import fastapi", {KERNELS}),
    ("a kernel that calls out", "app/embeddings/kernel.py", "import httpx", {KERNELS}),
    ("a kernel with the kit", "app/jobs/kernel.py", "import app.kit.ids", {KERNELS}),
    ("a kernel with a clock", "app/jobs/kernel.py", "import time", {KERNELS}),
    ("a kernel with chance", "app/memories/kernel.py", "import random", {KERNELS}),
    ("a kernel with another room's kernel", "app/retrieval/kernel/scoring.py",
     "import app.memories.kernel", {KERNELS}),
    # The sidecar.
    ("a room imports torch", "app/memories/service/indexing.py", "import torch", {TORCH}),
    ("a room imports transformers", "app/llm/client/model.py", "import transformers", {TORCH}),
    ("a room imports onnxruntime", "app/embeddings/client.py", "import onnxruntime", {TORCH}),
    ("the kit imports tokenizers", "app/kit/text.py", "import tokenizers", {TORCH}),
    ("the api imports the sidecar", "app/main.py", "import app.sidecar.settings", {TORCH}),
    ("the worker imports the sidecar", "app/worker.py", "import app.sidecar.settings", {TORCH}),
    ("the launcher imports the sidecar", "app/launcher/plan.py", "import app.sidecar.settings",
     {TORCH}),
    ("the wire imports the sidecar", "app/inference/wire.py", "import app.sidecar.settings",
     {TORCH, WIRE}),
    ("the sidecar imports a room", "app/sidecar/service.py", "import app.memories.schemas",
     {SHARES}),
    ("the sidecar imports a client", "app/sidecar/service.py", "import app.embeddings.protocol",
     {SHARES}),
    ("the sidecar imports the launcher", "app/sidecar/main.py", "import app.launcher.ports",
     {SHARES}),
    ("the sidecar imports sqlalchemy", "app/sidecar/service.py", "import sqlalchemy",
     {NO_DATABASE}),
    ("the sidecar imports psycopg", "app/sidecar/service.py", "import psycopg", {NO_DATABASE}),
    ("the sidecar imports the pool", "app/sidecar/service.py", "import app.kit.database",
     {NO_DATABASE}),
    ("a paper imports a paper", "app/sidecar/compressors/snap.py",
     "import app.sidecar.compressors.norm", {PAPERS}),
]  # fmt: skip

# A violation may need another room or paper to exist.
SCENERY = {
    "app/linking/service.py": "",
    "app/sidecar/compressors/norm.py": "",
}
VIOLATIONS.append(
    ("a mechanism imports a mechanism", "app/linking/service.py", "import app.forgetting.service",
     {ROOMS})
)  # fmt: skip


@pytest.fixture(scope="module")
def noticed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Which contracts were broken by each violation, and (under ``""``) by none."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "app", copy / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", copy)
    (copy / "tests").mkdir()
    (copy / "tests" / "__init__.py").touch()
    shutil.copy(ROOT / "tests" / "contracts.py", copy / "tests")
    for path, code in SCENERY.items():
        _write(copy / path, code)
    cases = [Case(name="", path="", code="")]
    cases += [Case(name=name, path=path, code=code) for name, path, code, _ in VIOLATIONS]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("lint_cases.py"))],
        cwd=copy,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _write(path: Path, code: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").touch()
    path.write_text(code)


def test_the_tree_keeps_every_contract(noticed: Mapping[str, list[str]]) -> None:
    assert noticed[""] == []


@pytest.mark.parametrize(
    ("name", "expected"), [(name, expected) for name, _, _, expected in VIOLATIONS]
)
def test_a_violation_is_noticed_by_the_contracts_that_forbid_it(
    noticed: Mapping[str, list[str]], name: str, expected: set[str]
) -> None:
    assert set(noticed[name]) == expected


def test_every_contract_is_proven_by_a_violation() -> None:
    proven = set().union(*(expected for _, _, _, expected in VIOLATIONS))

    assert proven == {section["name"] for section in _contracts().values()}


def _contracts() -> dict[str, configparser.SectionProxy]:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {
        name.removeprefix(prefix): parser[name]
        for name in parser.sections()
        if name.startswith(prefix)
    }


def declared_rooms() -> set[str]:
    """Return every room that the contract of rooms knows, built or not."""
    layers = _contracts()["rooms"]["layers"]
    return {name.strip(" ()") for line in layers.split("\n") for name in _split(line) if name}


def _split(line: str) -> list[str]:
    return line.replace("|", ":").split(":")


def test_every_room_of_the_architecture_is_declared() -> None:
    assert declared_rooms() == {
        *("main", "worker", "cli", "launcher", "derivations"),
        *("console", "compat", "evaluation"),
        *("ingestion", "retrieval", "reasoning"),
        *("forgetting", "linking", "thoughts", "profiles"),
        *("facts", "segmentation", "workspace", "feedback"),
        *("memories", "episodes", "tenants"),
        *("llm", "embeddings", "inference"),
        *("jobs", "kit"),
    }


def test_every_room_that_exists_is_held_to_the_order_inside_a_room() -> None:
    held = set(_contracts()["inside"]["containers"].split())
    packages = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}

    assert held == {f"app.{name}" for name in packages - NOT_A_ROOM}
