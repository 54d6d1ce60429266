"""Routes that fail in ways that the real ones do not."""

from collections.abc import AsyncIterator

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from app.kit.text import AwareTime, ExternalId
from app.tenants.dependencies import DatabaseDep, SessionDep, WriterDep

SECRET = "zebra"
"""A text of callers' data, which no log and no answer may hold."""

_DUPLICATES = """
    CREATE TEMP TABLE twice (text text UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP
"""


class _Echo(BaseModel):
    name: ExternalId
    at: AwareTime | None = None
    number: int = 0


def add_routes(app: FastAPI) -> None:
    """Add the routes to an application."""

    @app.post("/v1/test/echo")
    async def echo(_: WriterDep, body: _Echo) -> _Echo:
        return body

    @app.post("/v1/test/commit", status_code=201)
    async def fail_to_commit(_: WriterDep, session: SessionDep) -> dict[str, bool]:
        await session.execute(sa.text(_DUPLICATES))
        for _n in range(2):
            await session.execute(sa.text("INSERT INTO twice VALUES (:text)"), {"text": SECRET})
        return {"stored": True}

    @app.get("/v1/test/broken-off")
    async def break_off(_: WriterDep) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"begun"
            raise ValueError(SECRET)

        return StreamingResponse(parts())

    @app.post("/v1/test/bug")
    async def fail(_: WriterDep, database: DatabaseDep) -> None:
        async with database.transaction() as session:
            await session.execute(sa.text("SELECT CAST(:text AS integer)"), {"text": SECRET})
