"""What this room's routes take."""

from typing import Annotated, cast

from fastapi import Depends, Request

from app.retrieval.service import Recaller


async def get_recaller(request: Request) -> Recaller:
    """Return what answers questions."""
    return cast(Recaller, request.app.state.recaller)


RecallerDep = Annotated[Recaller, Depends(get_recaller)]
