import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from app.launcher import migrations
from app.launcher.embedded import EmbeddedPostgres
from app.launcher.errors import LaunchError

pytestmark = pytest.mark.pg


@pytest.fixture
def owner_url(postgres: EmbeddedPostgres, database_name: str) -> str:
    return postgres.owner_url(database_name)


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> Generator[str]:
    postgres.ensure_database("empty")
    yield postgres.owner_url("empty")
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE empty WITH (FORCE)")


def _do(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def clerk_url(empty_url: str) -> Generator[str]:
    """URL of a role that may nothing."""
    _do(empty_url, "CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
    yield f"postgresql://clerk:clerk@{empty_url.partition('@')[2]}"
    _do(empty_url, "DROP OWNED BY clerk", "DROP ROLE clerk")


def _extension_elsewhere(url: str, directory: str) -> None:
    name = url.rpartition("/")[2] if "?" not in url else url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        statement = sql.SQL("ALTER DATABASE {} SET extension_control_path = {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Literal(directory)))


def test_an_upgraded_database_passes_and_upgrades_again(owner_url: str) -> None:
    migrations.check(owner_url)

    migrations.upgrade(owner_url)


def test_a_newer_schema_is_refused(owner_url: str) -> None:
    _do(owner_url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(LaunchError, match=r"revision 9999\) is newer than this release"):
        migrations.upgrade(owner_url)


def test_a_server_without_pgvector_is_refused(empty_url: str) -> None:
    _extension_elsewhere(empty_url, "/nowhere")

    with pytest.raises(LaunchError, match="has no pgvector"):
        migrations.upgrade(empty_url)


def test_an_old_pgvector_is_refused(empty_url: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        extensions = Path(directory) / "extension"
        extensions.mkdir()
        (extensions / "vector.control").write_text("default_version = '0.5.1'\n")
        (extensions / "vector--0.5.1.sql").write_text("SELECT 1;\n")
        _extension_elsewhere(empty_url, directory)

        with pytest.raises(LaunchError, match=r"pgvector 0\.5\.1; 0\.7 or newer"):
            migrations.upgrade(empty_url)


def test_a_role_that_may_not_create_pgvector_is_told_so(clerk_url: str, empty_url: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        extensions = Path(directory) / "extension"
        extensions.mkdir()
        (extensions / "vector.control").write_text("default_version = '0.8.0'\n")
        (extensions / "vector--0.8.0.sql").write_text("SELECT 1;\n")
        _extension_elsewhere(empty_url, directory)

        with pytest.raises(LaunchError, match="clerk may not create the extension"):
            migrations.upgrade(clerk_url)


def test_a_role_that_may_not_create_tables_is_told_so(clerk_url: str, empty_url: str) -> None:
    _do(empty_url, "CREATE EXTENSION vector")

    with pytest.raises(LaunchError, match="clerk may not create tables"):
        migrations.upgrade(clerk_url)


def test_a_role_that_may_not_create_roles_is_told_so(
    clerk_url: str, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "APP_ROLE", "a_role_nobody_made")
    _do(
        empty_url,
        "CREATE EXTENSION vector",
        "GRANT CREATE ON DATABASE empty TO clerk",
        "GRANT CREATE ON SCHEMA public TO clerk",
    )

    with pytest.raises(LaunchError, match="may neither create the role a_role_nobody_made"):
        migrations.upgrade(clerk_url)


def test_an_absent_server_is_named_without_its_password() -> None:
    with pytest.raises(LaunchError, match="cannot be reached") as caught:
        migrations.upgrade("postgresql://me:hush@127.0.0.1:1/db")

    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(LaunchError, match="URL is not one"):
        migrations.upgrade("my database")
