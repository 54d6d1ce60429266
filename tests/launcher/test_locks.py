"""The lock files agree with pyproject.toml and with each other, and name no place."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
EXTRAS = ("sidecar", "torch", "demo", "dev")
FILES = ("requirements.lock", *(f"requirements-{extra}.lock" for extra in EXTRAS))


def _project() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ]+) ", text, flags=re.MULTILINE))


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_a_lock_satisfies_what_the_project_asks(extra: str) -> None:
    pins = _pins("requirements.lock")
    if extra:
        pins |= _pins(f"requirements-{extra}.lock")

    for line in _project()[extra]:
        wanted = Requirement(line)
        name = canonicalize_name(wanted.name)
        if name != "torch":
            assert name in pins, f"{name} is not locked: run scripts/lock"
            assert wanted.specifier.contains(pins[name]), f"{name}: run scripts/lock"


def test_torch_stands_apart_in_the_version_the_project_asks() -> None:
    torch = next(line for line in _project()["torch"] if line.startswith("torch=="))

    lines = (ROOT / "requirements-torch.txt").read_text().splitlines()

    assert [line for line in lines if not line.startswith("#")] == [torch]


@pytest.mark.parametrize("name", FILES)
def test_a_lock_has_hashes_and_names_no_place(name: str) -> None:
    text = (ROOT / name).read_text()

    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in package for package in packages)
    assert not re.search(r"://|^--|file:|\bvia\b| @ ", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_no_lock_brings_torch_or_its_libraries(name: str) -> None:
    assert not [pin for pin in _pins(name) if re.fullmatch(r"torch|triton|(nvidia|cuda)-.*", pin)]


def test_an_extra_adds_to_the_base_and_agrees_with_the_others() -> None:
    base = _pins("requirements.lock")
    seen: dict[str, str] = {}

    for name in FILES[1:]:
        added = _pins(name)
        assert not base.keys() & added.keys()
        assert all(seen.setdefault(package, pin) == pin for package, pin in added.items())
