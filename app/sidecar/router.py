"""The embeddings wing over HTTP."""

import asyncio
import base64
from collections.abc import Coroutine
from contextlib import suppress
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import HTTPBearer

from app.inference.wire import (
    Embedding,
    EmbeddingRequest,
    EmbeddingResponse,
    Model,
    ModelList,
    TextWindows,
    TokenBits,
    Usage,
    Window,
    WindowsRequest,
    WindowsResponse,
)
from app.kit.errors import NotReadyError
from app.kit.openapi import problems
from app.sidecar import errors
from app.sidecar.scheduler import Result
from app.sidecar.service import EmbeddingWing

Value = TypeVar("Value")


async def _wing(request: Request) -> EmbeddingWing:
    # Not a plain function: FastAPI would call that in a thread, and a query would wait for one.
    wing: EmbeddingWing = request.app.state.wing
    return wing


WingDep = Annotated[EmbeddingWing, Depends(_wing)]


_TEXTS = (
    NotReadyError,
    errors.ModelNotFoundError,
    errors.TooManyTextsError,
    errors.UnsupportedRequestError,
)

# The token itself is checked at the edge, before the body is read; this documents it.
router = APIRouter(
    prefix="/v1",
    tags=["embeddings"],
    dependencies=[Security(HTTPBearer(auto_error=False, description="APP_SIDECAR__TOKEN"))],
)


@router.post(
    "/embeddings",
    response_model=EmbeddingResponse,
    response_model_exclude_none=True,
    responses=problems(*_TEXTS, errors.QueueFullError, errors.DeviceMemoryError),
)
async def create_embeddings(request: Request, wing: WingDep, body: EmbeddingRequest) -> Response:
    """Embed texts: one vector of unit length each."""
    ids = await wing.tokens(body.input, body.model)
    if body.dimensions not in {None, wing.encoder.dimensions}:
        msg = f"{body.model} has {wing.encoder.dimensions} dimensions; no others can be had."
        raise errors.UnsupportedRequestError(msg)
    work = wing.embed(ids, signs=body.token_bits)
    short = len(ids) <= wing.settings.query_texts
    result = await (work if short else _unless_hung_up(request, work))
    tokens = sum(map(len, ids))
    answer = EmbeddingResponse.model_construct(
        data=_rows(result, as_base64=body.encoding_format == "base64"),
        model=body.model,
        usage=Usage(prompt_tokens=tokens, total_tokens=tokens),
    )
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")


def _rows(result: Result, *, as_base64: bool) -> list[Embedding]:
    rows = []
    for index, vector in enumerate(result.vectors):
        row = Embedding.model_construct(
            index=index,
            embedding=_base64(vector.astype("<f4", copy=False)) if as_base64 else vector.tolist(),
        )
        if result.signs is not None:
            signs = result.signs[index]
            bits = _base64(np.packbits(signs, axis=1))
            row.token_bits = TokenBits(shape=(signs.shape[0], signs.shape[1]), bits=bits)
        rows.append(row)
    return rows


def _base64(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


@router.post("/windows", response_model=WindowsResponse, responses=problems(*_TEXTS))
async def create_windows(request: Request, wing: WingDep, body: WindowsRequest) -> Response:
    """Count tokens and cut texts into overlapping windows that the model reads whole."""
    work = wing.windows(body.input, body.model, size=body.max_tokens, overlap=body.overlap)
    found = await _unless_hung_up(request, work)
    data = [
        TextWindows.model_construct(
            index=index,
            tokens=text.tokens,
            windows=[Window.model_construct(start=s, end=e) for s, e in text.spans],
        )
        for index, text in enumerate(found)
    ]
    answer = WindowsResponse.model_construct(data=data, model=body.model)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.get("/models", responses=problems(NotReadyError))
async def list_models(wing: WingDep) -> ModelList:
    """List the served models."""
    encoder = wing.encoder
    model = Model(
        id=encoder.name,
        created=wing.loaded_at,
        dimensions=encoder.dimensions,
        max_tokens=encoder.tokenizer.max_tokens,
    )
    return ModelList(data=[model])


async def _unless_hung_up(request: Request, work: Coroutine[Any, Any, Value]) -> Value:
    """Await work, but cancel it when the caller closes the connection."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_hung_up(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        msg = "The caller closed the connection."
        raise errors.HungUpError(msg)
    finally:
        for unfinished in (task, gone):
            if not unfinished.done():
                unfinished.cancel()
                with suppress(asyncio.CancelledError):
                    await unfinished


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
