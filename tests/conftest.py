"""Fixtures every test may use: a Postgres of our own, built by the migrations, and settings."""

import itertools
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
import structlog
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.kit.database import Database, sqlalchemy_url
from app.kit.settings import DatabaseSettings, Settings
from app.launcher import migrations
from app.launcher.embedded import EmbeddedPostgres
from tests.postgres import throwaway_postgres

_TEMPLATE = "remembrancer_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """Keep the developer's own settings out of the tests."""
    for name in [name for name in os.environ if name.startswith("APP_")]:
        del os.environ[name]


@pytest.fixture(autouse=True)
def _fresh_logs() -> None:
    """Let no test inherit the log settings of a process that an earlier one composed."""
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def postgres() -> Generator[EmbeddedPostgres]:
    """The server of this test run."""
    with throwaway_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def template_url(postgres: EmbeddedPostgres) -> str:
    """URL (of the owner) of an empty database built by the migrations."""
    postgres.ensure_database(_TEMPLATE)
    url = postgres.owner_url(_TEMPLATE)
    migrations.upgrade(url)
    migrations.allow_app_login(url, postgres.password("app"))
    return url


@contextmanager
def _clone(postgres: EmbeddedPostgres) -> Generator[str]:
    """Yield the name of a copy of the template; drop it afterwards."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.owner_url("postgres"), autocommit=True) as connection:
        names = {"name": sql.Identifier(name), "template": sql.Identifier(_TEMPLATE)}
        copy = sql.SQL("CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        connection.execute(copy.format(**names))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))


@pytest.fixture
def database_name(postgres: EmbeddedPostgres, template_url: str) -> Generator[str]:
    """Name of a fresh database of this test."""
    with _clone(postgres) as name:
        yield name


@pytest.fixture
def settings(postgres: EmbeddedPostgres, database_name: str, tmp_path: Path) -> Settings:
    """Settings that point to the test's own database, as the application role."""
    return Settings(
        database_url=SecretStr(postgres.app_url(database_name)),
        data_dir=tmp_path,
        bootstrap_key=SecretStr("rk_test-bootstrap-key"),
        database=DatabaseSettings(pool_size=5),
    )


@pytest.fixture
async def database(settings: Settings) -> AsyncGenerator[Database]:
    """The test's own database, as the application sees it; what it commits stays in it."""
    opened = Database(settings.required_database_url(), settings.database, name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def owner_engine(
    postgres: EmbeddedPostgres, database_name: str
) -> AsyncGenerator[AsyncEngine]:
    """The same database as its owner, who looks past row-level security."""
    engine = create_async_engine(
        sqlalchemy_url(postgres.owner_url(database_name)), poolclass=sa.pool.NullPool
    )
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def shared_database_name(postgres: EmbeddedPostgres, template_url: str) -> Generator[str]:
    """Name of one database for all tests that roll back."""
    with _clone(postgres) as name:
        yield name


@pytest.fixture
async def session(
    postgres: EmbeddedPostgres, shared_database_name: str
) -> AsyncGenerator[AsyncSession]:
    """A session as the application role; whatever it commits is rolled back after the test."""
    shared = Database(postgres.app_url(shared_database_name), DatabaseSettings(pool_size=1))
    async with shared.engine.connect() as connection:
        outer = await connection.begin()
        async with AsyncSession(
            bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as opened:
            yield opened
        await outer.rollback()
    await shared.close()
