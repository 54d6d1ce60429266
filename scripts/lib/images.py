"""Builds the images with buildah, on a base made from Debian's packages.

Stands in for Docker and for the registry with the real base image, where neither can be had.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("sidecar", "worker", "api")
PACKAGES = "python3.11,python3.11-venv,python3-pip,ca-certificates"
# What of pip's configuration matters inside a build.
_PIP_OPTIONS = frozenset(
    {
        *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy"),
        *("cert", "client-cert", "constraint", "default-timeout", "timeout", "retries"),
    }
)


def say(message: str) -> None:
    """Tell the operator how far it is."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class Buildah:
    """buildah on a store below ``work``."""

    work: Path

    def command(self, *arguments: str | Path) -> list[str]:
        """Return a command line."""
        store = ("--root", self.work / "store", "--runroot", self.work / "run")
        # As an option: buildah overlooks the variable where it is told the store's place.
        driver = ("--storage-driver", os.environ["STORAGE_DRIVER"])
        return ["buildah", *map(str, (*store, *driver, *arguments))]

    def __call__(self, *arguments: str | Path) -> str:
        """Run a command to its end and return what it said; it fails as a whole."""
        done = subprocess.run(  # noqa: S603  -- our own command
            self.command(*arguments), check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            msg = f"buildah {arguments[0]} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            raise SystemExit(msg)
        return done.stdout.strip()

    def image(self, name: str) -> dict[str, Any]:
        """Return an image's configuration."""
        found: dict[str, Any] = json.loads(self("inspect", "--type", "image", name))
        return found

    def size(self, name: str) -> int:
        """Return an image's size in bytes."""
        listed = json.loads(self("images", "--json", name))
        return _bytes(str(listed[0]["size"]))


def _bytes(size: str) -> int:
    number, unit = size.split()
    return round(float(number) * 1000.0 ** ("B", "KB", "MB", "GB").index(unit.upper()))


def tag(target: str) -> str:
    """Return the name of a built image."""
    return f"localhost/remembrancer/{target}:check"


def base_name() -> str:
    """Return the base image as the Dockerfile names it."""
    found = re.search(r"^FROM (\S+) AS base$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if found is None:
        msg = "the Dockerfile has no stage `base`"
        raise SystemExit(msg)
    return f"docker.io/library/{found[1]}"


def make_base(buildah: Buildah) -> None:
    """Have an image by the base's name with Debian and Python, unless the store has it."""
    if base_name() in buildah("images", "--format", "{{.Name}}:{{.Tag}}").splitlines():
        return
    say("making the base system with debootstrap")
    system = buildah.work / "base"
    log = buildah.work / "debootstrap.log"
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(system)]
    with log.open("w") as output:
        made = subprocess.run(command, stdout=output, stderr=output, check=False)  # noqa: S603
    if made.returncode != 0:
        msg = f"debootstrap failed:\n{log.read_text()[-2000:]}"
        raise SystemExit(msg)
    _resemble_the_real_base(system)
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, system, "/")
    buildah("commit", "--quiet", "--format", "docker", container, base_name())
    buildah("rm", container)
    subprocess.run(["rm", "-rf", "--one-file-system", system], check=True)  # noqa: S603, S607


def _resemble_the_real_base(system: Path) -> None:
    """Put python where the real image has it; remove what that does not hold."""
    for name in ("python", "python3"):
        (system / "usr/local/bin" / name).symlink_to("/usr/bin/python3.11")
    caches = [*(system / "var/cache/apt/archives").glob("*.deb")]
    caches += [path for path in (system / "var/lib/apt/lists").glob("*") if path.is_file()]
    for path in caches:
        path.unlink()


def build(buildah: Buildah, target: str) -> float:
    """Build one target; return the seconds it took."""
    say(f"building {target}")
    began = time.monotonic()
    buildah(
        *("build", "--isolation", "chroot", "--pull-never", "--format", "docker", "--layers"),
        *("--target", target, "--tag", tag(target)),
        *_pip_arguments(buildah.work),
        ROOT,
    )
    return time.monotonic() - began


def _pip_arguments(work: Path) -> Iterator[str]:
    """Hand this machine's pip configuration into the build, where it leaves no trace."""
    options = dict(_pip_options())
    configuration = work / "pip.conf"
    lines = [f"{name} = {value}" for name, value in options.items()]
    configuration.write_text("\n".join(["[global]", *lines, ""]))
    yield from ("--secret", f"id=pip,src={configuration}")
    places = {place for value in options.values() for place in _local_places(value.split())}
    for place in sorted(places):
        yield from ("--volume", f"{place}:{place}:ro")


def _pip_options() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    found = re.findall(r"^(global|install|:env:)\.([a-z-]+)='(.*)'$", listed, flags=re.MULTILINE)
    for _, name, value in sorted(found, key=lambda option: option[0] == ":env:"):
        if name in _PIP_OPTIONS:
            yield name, value.replace("\\n", " ").strip()


def _local_places(words: Sequence[str]) -> Iterator[Path]:
    for word in words:
        path = Path(unquote(urlsplit(word).path) if word.startswith("file:") else word)
        if path.is_absolute() and path.exists():
            # The pages of an index on disk point to files beside it.
            yield path.parent if path.name == "simple" else path


def main(work: Path) -> None:
    """Build all targets and keep what is known of them for the trial."""
    buildah = Buildah(work)
    make_base(buildah)
    seconds = {target: build(buildah, target) for target in TARGETS}
    base = buildah.size(base_name())
    facts = {
        target: {"seconds": round(seconds[target]), "bytes": buildah.size(tag(target)) - base}
        for target in TARGETS
    }
    (work / "built.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
