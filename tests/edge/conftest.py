"""The api with routes that fail, and an operator who calls it."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI

from app.kit.settings import Settings
from tests.api import OPERATOR, client_of, started
from tests.edge.routes import add_routes


@pytest.fixture
async def api(settings: Settings) -> AsyncGenerator[FastAPI]:
    async with started(settings) as app:
        add_routes(app)
        yield app


@pytest.fixture
async def client(api: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    async with client_of(api) as opened:
        opened.headers.update(OPERATOR)
        yield opened
