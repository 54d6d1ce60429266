"""The compose files name only what the code has, and hold to what we promise."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app import __version__
from app.kit.settings import Settings
from app.launcher.tuning import server_settings
from app.sidecar.settings import SidecarSettings
from scripts.lib import compose
from scripts.lib.trial import example
from tests import images
from tests.images import ROOT, SERVICE_SETTINGS, SIDECAR_SETTINGS, STAGES

COMPOSE = ROOT / "docker-compose.yml"
GPU = ROOT / "docker-compose.gpu.yml"
EXAMPLE = ROOT / ".env.example"
OURS = {"migrate": "worker", "worker": "worker", "api": "api", "sidecar": "sidecar"}
REQUIRED = set(example())


def _services(path: Path, **variables: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose.load(path, example() | variables)["services"]
    return found


def _environment_of(name: str, **variables: str) -> dict[str, str]:
    """Return all that the processes of one of our services see."""
    of_image = images.environment(OURS[name])
    return of_image | compose.environment(_services(COMPOSE)[name], example() | variables)


def _set(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        if name.startswith("APP_"):
            monkeypatch.setenv(name, value)


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_compose_refuses_to_start_without_a_secret(missing: str) -> None:
    variables = {name: value for name, value in example().items() if name != missing}

    with pytest.raises(compose.MissingVariableError, match=missing):
        compose.load(COMPOSE, variables)


def test_the_example_leaves_just_the_secrets_to_fill_in() -> None:
    given = re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", EXAMPLE.read_text(), re.MULTILINE)

    assert dict(given) == dict.fromkeys(REQUIRED, "")


def test_the_example_explains_every_variable_and_no_other() -> None:
    named = compose.variables_named(COMPOSE) | compose.variables_named(GPU)

    assert set(compose.example_variables(EXAMPLE)) == named


def test_the_example_shows_the_defaults() -> None:
    text = COMPOSE.read_text() + GPU.read_text()
    shown = compose.example_variables(EXAMPLE)
    pairs = dict(re.findall(r"\$\{(\w+):-([^${}]+)\}", text))
    urls_of_our_own = {"APP_EMBEDDINGS__URL"}  # to be replaced, not repeated

    assert {name: shown[name] for name in pairs.keys() - urls_of_our_own} == {
        name: default for name, default in pairs.items() if name not in urls_of_our_own
    }


def test_a_variable_explained_in_the_example_is_a_setting_or_composes_own() -> None:
    settings = SERVICE_SETTINGS | SIDECAR_SETTINGS
    named = {name for name in compose.example_variables(EXAMPLE) if name.startswith("APP_")}

    assert named <= settings


@pytest.mark.parametrize("service", sorted(OURS))
def test_services_are_given_settings_that_exist(service: str) -> None:
    files = [_services(COMPOSE)[service], _services(GPU).get(service, {})]
    named = {name for content in files for name in content.get("environment", {})}
    known = SIDECAR_SETTINGS if service == "sidecar" else SERVICE_SETTINGS

    assert named
    assert {name for name in named if name != "PGPASSWORD"} <= known


@pytest.mark.parametrize("service", ["api", "worker", "migrate"])
def test_the_service_reads_what_compose_gives_it(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uncommented = {k: v for k, v in compose.example_variables(EXAMPLE).items() if v}
    _set(monkeypatch, _environment_of(service, **uncommented))

    settings = Settings()

    if service == "migrate":
        assert "remembrancer_owner@postgres" in settings.migrations_url()
        assert settings.migrations.app_password is not None
    else:
        assert "remembrancer_app@postgres" in settings.required_database_url()
        assert settings.embeddings.url == "http://sidecar:8081/v1"
        assert settings.llm.url == "http://llm:8080/v1"


def test_the_sidecar_reads_what_compose_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, _environment_of("sidecar"))

    settings = SidecarSettings()

    assert settings.token is not None
    assert (settings.host, settings.port) == ("0.0.0.0", 8081)
    assert settings.graph_dir().is_relative_to("/var/lib/remembrancer")


def test_the_sidecar_on_a_gpu_reads_what_compose_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = example() | {"APP_SIDECAR__DEVICE_BUDGET_BYTES": "4000000000"}
    given = compose.environment(_services(GPU)["sidecar"], variables)
    _set(monkeypatch, _environment_of("sidecar") | given)

    settings = SidecarSettings()

    assert (settings.backend, settings.device, settings.dtype) == ("torch", "cuda", "float16")
    assert settings.device_budget_bytes == 4_000_000_000


def test_the_gpu_file_builds_with_arguments_that_the_dockerfile_takes() -> None:
    sidecar = _services(GPU)["sidecar"]
    taken = {rest.partition("=")[0] for word, rest in images.instructions() if word == "ARG"}

    assert set(sidecar["build"]["args"]) == taken
    assert sidecar["build"]["args"]["SIDECAR_EXTRAS"] == "torch"
    assert sidecar["deploy"]["resources"]["reservations"]["devices"][0]["driver"] == "nvidia"


def test_api_and_sidecar_share_the_token_and_the_databases_passwords_differ() -> None:
    variables = example()
    services = compose.load(COMPOSE, variables)["services"]
    seen = {name: compose.environment(services[name], variables) for name in OURS}

    assert seen["api"]["APP_EMBEDDINGS__KEY"] == seen["sidecar"]["APP_SIDECAR__TOKEN"]
    assert seen["api"]["PGPASSWORD"] == seen["migrate"]["APP_MIGRATIONS__APP_PASSWORD"]
    assert seen["migrate"]["PGPASSWORD"] != seen["api"]["PGPASSWORD"]
    assert variables["POSTGRES_PASSWORD"] not in {*seen["api"].values(), *seen["worker"].values()}
    assert "APP_BOOTSTRAP_KEY" not in seen["worker"]


def test_no_image_is_left_to_chance() -> None:
    images = [one["image"] for path in (COMPOSE, GPU) for one in _services(path).values()]

    assert all(re.fullmatch(r"[\w./-]+:[\w.-]*\d[\w.-]*", image) for image in images)
    assert not any("latest" in image for image in images)


def test_our_images_carry_our_version() -> None:
    for path in (COMPOSE, GPU):
        for name, one in _services(path).items():
            if name in OURS:
                assert one["image"].startswith("remembrancer/")
                assert one["image"].endswith(f":{__version__}")


def test_services_are_built_from_the_stage_of_their_name() -> None:
    services = _services(COMPOSE)

    for name, target in OURS.items():
        assert services[name]["build"]["target"] == target
        assert target in STAGES
        assert services[name]["image"].startswith(f"remembrancer/{target}:")


def test_postgres_18_keeps_its_data_in_the_volume() -> None:
    postgres = _services(COMPOSE)["postgres"]

    assert re.search(r":[\d.]+-pg18", postgres["image"])
    assert postgres["volumes"] == ["postgres:/var/lib/postgresql"]


def test_postgres_has_the_settings_of_the_embedded_one() -> None:
    server, *arguments = _services(COMPOSE)["postgres"]["command"]
    flags, settings = arguments[::2], arguments[1::2]
    given = dict(setting.split("=") for setting in settings)
    by_machine = {"shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem"}
    of_the_image = {
        *("listen_addresses", "unix_socket_permissions", "max_connections"),
        *("password_encryption", "log_timezone", "fsync", "synchronous_commit"),  # the defaults
        *("logging_collector", "log_directory", "log_filename", "log_file_mode"),  # Docker's logs
        *("log_rotation_age", "log_rotation_size"),
    }
    embedded = {name: value.strip("'") for name, value in server_settings(0, durable=True).items()}
    expected = {k: v for k, v in embedded.items() if k not in by_machine | of_the_image}

    assert server == "postgres"
    assert set(flags) == {"-c"}
    assert {k: v for k, v in given.items() if k in expected} == expected
    assert set(given) - set(expected) == by_machine | {"max_connections"}


def test_only_the_api_has_a_port_and_only_on_loopback() -> None:
    published = {name: one["ports"] for name, one in _services(COMPOSE).items() if one.get("ports")}

    assert published == {"api": ["127.0.0.1:8080:8080"]}


def test_the_published_port_is_the_one_the_api_listens_on() -> None:
    ports = _services(COMPOSE, APP_HOST="0.0.0.0", APP_PORT="9000")["api"]["ports"]

    assert ports == [f"0.0.0.0:9000:{images.environment('api')['APP_PORT']}"]
    assert not {"APP_HOST", "APP_PORT"} & set(_services(COMPOSE)["api"]["environment"])


def test_services_start_in_the_order_of_their_health() -> None:
    services = _services(COMPOSE)

    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("api", "worker"):
        needs = {need: how["condition"] for need, how in services[name]["depends_on"].items()}
        assert needs["migrate"] == "service_completed_successfully"
        assert needs["postgres"] == "service_healthy"


def test_a_short_look_at_health_needs_a_start_period() -> None:
    for one in _services(COMPOSE).values():
        check = one.get("healthcheck", {})
        assert "start_interval" not in check or "start_period" in check  # Compose refuses it


@pytest.mark.parametrize("service", sorted(OURS))
def test_our_services_write_only_where_they_may(service: str) -> None:
    one = _services(COMPOSE)[service]

    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in one["security_opt"]


def test_services_get_more_time_to_stop_than_they_take() -> None:
    services = _services(COMPOSE)
    drain_s = Settings().http.drain_s

    for name in ("api", "worker", "sidecar"):
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > drain_s + 2


@pytest.mark.parametrize("service", ["migrate"])
def test_every_command_in_the_compose_file_exists(service: str) -> None:
    images.assert_runs(_services(COMPOSE)[service]["command"])


def test_every_volume_is_declared() -> None:
    content = compose.load(COMPOSE, example())
    used = {
        volume.partition(":")[0]
        for one in content["services"].values()
        for volume in one.get("volumes", [])
    }

    assert used == set(content["volumes"])


def test_the_language_model_starts_only_when_asked_for() -> None:
    profiles = {name: one.get("profiles") for name, one in _services(COMPOSE).items()}

    assert {name for name, one in profiles.items() if one} == {"llm"}


def test_the_languages_models_url_in_the_example_is_its_services() -> None:
    llm = compose.environment(_services(COMPOSE)["llm"], {})
    url = compose.example_variables(EXAMPLE)["APP_LLM__URL"]

    assert url == f"http://llm:{llm['LLAMA_ARG_PORT']}/v1"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("${SET}", "yes"),
        ("${UNSET}", ""),
        ("${SET:-no}/${UNSET:-no}", "yes/no"),
        ("${EMPTY:-a}${UNSET:-${EMPTY:-${SET:-b}}}c", "ayesc"),
    ],
)
def test_variables_are_filled_in_as_docker_would(text: str, filled: str) -> None:
    assert compose.interpolate(text, {"SET": "yes", "EMPTY": ""}) == filled


def test_lists_in_the_compose_file_are_read_in_pairs() -> None:
    _, *arguments = _services(COMPOSE)["postgres"]["command"]

    assert all((flag == "-c") != (setting == "-c") for flag, setting in pairwise(arguments))
