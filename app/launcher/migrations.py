"""Bring a database to the schema of this code, or say in one sentence why that cannot be."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import sql

from app.kit.database import sqlalchemy_url
from app.launcher.cluster import APP_ROLE
from app.launcher.errors import LaunchError

Connection = psycopg.Connection[tuple[Any, ...]]

_SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
_LEAST_SERVER = 15
_LEAST_PGVECTOR = (0, 7)
_LOCK = 7_236_145_001  # any number; one upgrade of a database at a time


def upgrade(owner_url: str, *, scripts: Path = _SCRIPTS) -> None:
    """Check the database and bring it to the newest schema; waits for an upgrade under way.

    Raises:
        LaunchError: the database does not fit, or a migration failed.
    """
    config = _config(owner_url, scripts)
    with _connect(owner_url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        for examine in _CHECKS:
            examine(connection)
        _check_revision(connection, config)
        try:
            command.upgrade(config, "head")
        except (sa.exc.DBAPIError, psycopg.Error) as error:
            msg = f"A migration failed and was rolled back: {_first_line(error)}"
            raise LaunchError(msg) from error


def check(owner_url: str, *, scripts: Path = _SCRIPTS) -> None:
    """Check that the database can hold the schema of this code; change nothing.

    Raises:
        LaunchError: it cannot.
    """
    with _connect(owner_url) as connection:
        for examine in _CHECKS:
            examine(connection)
        _check_revision(connection, _config(owner_url, scripts))


def allow_app_login(owner_url: str, password: str) -> None:
    """Let the application's role log in with ``password`` (embedded mode)."""
    with _connect(owner_url) as connection:
        statement = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
        connection.execute(statement.format(sql.Identifier(APP_ROLE), sql.Literal(password)))


@contextmanager
def _connect(url: str) -> Generator[Connection]:
    try:
        plain = sqlalchemy_url(url).set(drivername="postgresql")
    except sa.exc.ArgumentError as error:
        msg = "The database URL is not one: it looks like postgresql://user:password@host/name."
        raise LaunchError(msg) from error
    try:
        connection = psycopg.connect(
            plain.render_as_string(hide_password=False), autocommit=True, connect_timeout=10
        )
    except psycopg.Error as error:
        name = plain.render_as_string(hide_password=True)
        msg = f"The database {name} cannot be reached: {_first_line(error)}"
        raise LaunchError(msg) from error
    with connection:
        yield connection


def _config(url: str, scripts: Path) -> Config:
    config = Config(attributes={"url": url})
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _check_server(connection: Connection) -> None:
    version = connection.info.server_version // 10_000
    if version < _LEAST_SERVER:
        msg = f"The database server is PostgreSQL {version}; {_LEAST_SERVER} or newer is needed."
        raise LaunchError(msg)


def _check_pgvector(connection: Connection) -> None:
    found = connection.execute(
        "SELECT coalesce(installed_version, default_version), installed_version IS NOT NULL"
        " FROM pg_available_extensions WHERE name = 'vector'"
    ).fetchone()
    least = ".".join(map(str, _LEAST_PGVECTOR))
    if found is None:
        msg = f"The database server has no pgvector; install pgvector {least} or newer on it."
        raise LaunchError(msg)
    version, installed = found
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _LEAST_PGVECTOR:
        mend = "run ALTER EXTENSION vector UPDATE" if installed else "install a newer one"
        msg = f"The database has pgvector {version}; {least} or newer is needed ({mend})."
        raise LaunchError(msg)
    if not installed and not _may_create_pgvector(connection):
        msg = (
            f"The role {connection.info.user} may not create the extension pgvector; "
            "run CREATE EXTENSION vector in the database as a superuser first."
        )
        raise LaunchError(msg)


def _may_create_pgvector(connection: Connection) -> bool:
    return _holds(
        connection,
        "SELECT rolsuper OR EXISTS (SELECT FROM pg_available_extension_versions"
        " WHERE name = 'vector' AND trusted) FROM pg_roles WHERE rolname = current_user",
    )


def _check_rights(connection: Connection) -> None:
    """See that the role can create tables, and the application's role if there is none yet."""
    user = connection.info.user
    if not _holds(
        connection,
        "SELECT has_database_privilege(current_database(), 'CREATE')"
        " AND has_schema_privilege('public', 'CREATE')",
    ):
        msg = f"The role {user} may not create tables in the database; use its owner."
        raise LaunchError(msg)
    if not _holds(
        connection,
        "SELECT rolsuper OR CASE"
        " WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = %s)"
        " THEN pg_has_role(current_user, %s, 'MEMBER')"
        " ELSE rolcreaterole END FROM pg_roles WHERE rolname = current_user",
        APP_ROLE,
        APP_ROLE,
    ):
        msg = (
            f"The role {user} may neither create the role {APP_ROLE} nor act as it; "
            f"run CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO {user} as a superuser first."
        )
        raise LaunchError(msg)


def _check_revision(connection: Connection, config: Config) -> None:
    """See that this code knows the schema that is there."""
    if not _holds(connection, "SELECT to_regclass('alembic_version') IS NOT NULL"):
        return
    script = ScriptDirectory.from_config(config)
    for (revision,) in connection.execute("SELECT version_num FROM alembic_version"):
        try:
            script.get_revision(revision)
        except CommandError as error:
            msg = (
                f"The schema of the database (revision {revision}) is newer than this release; "
                "start the release that wrote it, or a later one."
            )
            raise LaunchError(msg) from error


_CHECKS: tuple[Callable[[Connection], None], ...] = (_check_server, _check_pgvector, _check_rights)


def _holds(connection: Connection, query: LiteralString, *arguments: str) -> bool:
    row = connection.execute(query, arguments).fetchone()
    return row is not None and bool(row[0])


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
