"""What routes of this room and the rooms above take."""

from typing import Annotated, cast

from fastapi import Depends, Request

from app.forgetting.service import Reinforcer


async def get_reinforcer(request: Request) -> Reinforcer:
    """Return what strengthens recalled memories behind the answer."""
    return cast(Reinforcer, request.app.state.reinforcer)


ReinforcerDep = Annotated[Reinforcer, Depends(get_reinforcer)]
