"""Fixtures of the rooms that keep memories; their ``conftest.py`` names them.

Tests of one room share a database: each has a tenant of its own. What is the same for all tenants
(the embedding models, the queue) needs a database of its own: the fixture ``fresh``.
"""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.kit.database import sqlalchemy_url
from app.kit.settings import DatabaseSettings, Settings
from app.launcher.embedded import EmbeddedPostgres
from tests.api import OPERATOR_KEY
from tests.memories.helpers import Store, clone, opened


@pytest.fixture(scope="session")
def room_database(postgres: EmbeddedPostgres, template_url: str) -> Generator[str]:
    """Name of the database that a room's tests share."""
    with clone(postgres, str(sa.make_url(template_url).database), "room") as name:
        yield name


@pytest.fixture
def room_settings(postgres: EmbeddedPostgres, room_database: str, tmp_path: Path) -> Settings:
    """Settings that point to the room's database."""
    return Settings(
        database_url=SecretStr(postgres.app_url(room_database)),
        data_dir=tmp_path,
        bootstrap_key=SecretStr(OPERATOR_KEY),
        database=DatabaseSettings(pool_size=4),
    )


@pytest.fixture
async def room_engine(
    postgres: EmbeddedPostgres, room_database: str
) -> AsyncGenerator[AsyncEngine]:
    """The room's database as its owner, who looks past row-level security."""
    url = sqlalchemy_url(postgres.owner_url(room_database))
    engine = create_async_engine(url, pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
async def store(room_settings: Settings, room_engine: AsyncEngine) -> AsyncGenerator[Store]:
    """An api with a tenant of this test."""
    async with opened(room_settings, room_engine) as made:
        yield made


@pytest.fixture
async def fresh(settings: Settings, owner_engine: AsyncEngine) -> AsyncGenerator[Store]:
    """An api on a database that nobody wrote to."""
    async with opened(settings, owner_engine) as made:
        yield made
