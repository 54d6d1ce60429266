from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from app import __version__
from app.cli import cli
from app.launcher.embedded import EmbeddedPostgres

runner = CliRunner()


def test_version_is_the_packages() -> None:
    assert runner.invoke(cli, ["version"]).stdout.strip() == __version__


def test_key_prints_the_key_of_the_data_directory(tmp_path: Path) -> None:
    (tmp_path / "api_key").write_text("rk_known\n")

    shown = runner.invoke(cli, ["key"], env={"APP_DATA_DIR": str(tmp_path)})

    assert shown.stdout == "rk_known\n"


def test_key_before_the_first_start_says_so(tmp_path: Path) -> None:
    shown = runner.invoke(cli, ["key"], env={"APP_DATA_DIR": str(tmp_path)})

    assert shown.exit_code == 1
    assert "made at the first start" in shown.stderr


def test_a_wrong_setting_is_named_in_one_sentence() -> None:
    shown = runner.invoke(cli, ["key"], env={"APP_HTTP__DRAIN_S": "soon"})

    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: The setting APP_HTTP__DRAIN_S is wrong")


def test_migrate_without_a_database_says_so() -> None:
    shown = runner.invoke(cli, ["migrate"])

    assert shown.exit_code == 1
    assert "APP_DATABASE_URL is not set" in shown.stderr


@pytest.mark.pg
def test_migrate_brings_an_empty_database_to_the_newest_schema(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_database("by_command")
    url = postgres.owner_url("by_command")

    shown = runner.invoke(cli, ["migrate"], env={"APP_DATABASE_URL": url})

    assert shown.exit_code == 0, shown.output
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


@pytest.mark.pg
def test_migrate_lets_the_applications_role_log_in_with_the_given_password(
    postgres: EmbeddedPostgres,
) -> None:
    postgres.ensure_database("by_password")
    owner_url = postgres.owner_url("by_password")
    kept = postgres.password("app")
    environment = {"APP_DATABASE_URL": owner_url, "APP_MIGRATIONS__APP_PASSWORD": kept}

    shown = runner.invoke(cli, ["migrate"], env=environment)

    assert shown.exit_code == 0, shown.output
    assert kept not in shown.output
    with psycopg.connect(postgres.app_url("by_password")) as connection:
        user = connection.execute("SELECT session_user").fetchone()
    assert user == ("remembrancer_app",)


def test_api_becomes_the_server_that_scripts_serve_would_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr("os.execv", lambda _, command: started.append(command))

    runner.invoke(cli, ["api"], env={"APP_HOST": "0.0.0.0", "APP_PORT": "8123"})

    assert "app.main:create_app" in started[0]
    assert started[0][started[0].index("--host") + 1] == "0.0.0.0"
    assert started[0][started[0].index("--port") + 1] == "8123"
