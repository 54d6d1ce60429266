from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI

from app.kit.settings import Settings
from tests.api import client_of, started


@pytest.fixture
async def api(settings: Settings) -> AsyncGenerator[FastAPI]:
    async with started(settings) as app:
        yield app


@pytest.fixture
async def client(api: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    async with client_of(api) as opened:
        yield opened
