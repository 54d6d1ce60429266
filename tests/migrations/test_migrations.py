"""The schema: reversible, in step with the models, every key led by an owner or a tenant."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg import sql

from app.launcher.embedded import EmbeddedPostgres

pytestmark = pytest.mark.pg

Connection = psycopg.Connection[tuple[Any, ...]]

_SCRIPTS = Path(__file__).parents[2] / "migrations"
_DATABASE = "migrations_test"
_ROLE = "remembrancer_app"
_EXEMPT = {"exempt": r"^(alembic_version$|embedding_models$|procrastinate_)"}

_LEADING_COLUMNS = """
    SELECT t.relname || '.' || i.relname, a.attname
    FROM pg_index x
    JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
    WHERE t.relnamespace = 'public'::regnamespace AND x.indisunique AND t.relname !~ %(exempt)s
    UNION ALL
    SELECT t.relname || '.' || c.conname, a.attname
    FROM pg_constraint c
    JOIN pg_class t ON t.oid = c.conrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
    WHERE t.relnamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'f')
        AND t.relname !~ %(exempt)s
"""
_TABLES = """
    SELECT relname, relrowsecurity,
        EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND relname !~ %(exempt)s
"""
_OBJECTS = """
    SELECT 'table ' || relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
        AND relname <> 'alembic_version'
    UNION ALL
    SELECT 'function ' || p.proname FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'type ' || t.typname FROM pg_type t
    WHERE t.typnamespace = 'public'::regnamespace AND t.typtype = 'e'
"""


@pytest.fixture
def url(postgres: EmbeddedPostgres) -> Generator[str]:
    """URL (of the owner) of an empty database."""
    postgres.ensure_database(_DATABASE)
    yield postgres.owner_url(_DATABASE)
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_DATABASE))
        connection.execute(drop)


@pytest.fixture
def built(postgres: EmbeddedPostgres, database_name: str) -> Generator[Connection]:
    """The owner's connection to a migrated database that has an embedding model."""
    with psycopg.connect(postgres.owner_url(database_name)) as connection:
        connection.execute("SELECT add_derived_vectors(add_embedding_model('test', 8))")
        yield connection


def _config(url: str) -> Config:
    config = Config(attributes={"url": url})
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    return config


def _objects(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute(_OBJECTS)}


def test_the_schema_goes_up_down_and_up_again(url: str) -> None:
    command.upgrade(_config(url), "head")
    first = _objects(url)
    with psycopg.connect(url) as connection:
        connection.execute("SELECT add_derived_vectors(add_embedding_model('test', 8))")

    command.downgrade(_config(url), "base")
    nothing = _objects(url)
    command.upgrade(_config(url), "head")

    assert "table memories" in first
    assert nothing == set()
    assert _objects(url) == first


def test_each_step_goes_down_alone(url: str) -> None:
    command.upgrade(_config(url), "head")

    for _ in (_SCRIPTS / "versions").glob("0*.py"):
        command.downgrade(_config(url), "-1")

    assert _objects(url) == set()


def test_models_and_migrations_agree(url: str) -> None:
    command.upgrade(_config(url), "head")

    command.check(_config(url))


def test_every_key_begins_with_the_owner_or_the_tenant(built: Connection) -> None:
    rows = built.execute(_LEADING_COLUMNS, _EXEMPT).fetchall()
    leading: dict[str, str] = dict(rows)

    assert len(leading) > 20
    assert set(leading.values()) == {"owner_id", "tenant_id"}, leading


def test_every_table_of_tenants_is_behind_row_level_security(built: Connection) -> None:
    tables = built.execute(_TABLES, _EXEMPT).fetchall()

    assert len(tables) > 12
    assert [name for name, enabled, policy in tables if not (enabled and policy)] == []


def test_the_application_role_owns_nothing_and_cannot_look_past_policies(
    built: Connection,
) -> None:
    owned = built.execute(
        "SELECT relname FROM pg_class WHERE relowner = %s::regrole", (_ROLE,)
    ).fetchall()
    rights = built.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
        " FROM pg_roles WHERE rolname = %s",
        (_ROLE,),
    ).fetchone()

    assert owned == []
    assert rights == (False, False, False, False)
