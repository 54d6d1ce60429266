"""What routes of this room and the rooms above take."""

from typing import Annotated, cast

from fastapi import Depends, Request

from app.feedback.service import RecallLog


async def get_recall_log(request: Request) -> RecallLog:
    """Return what notes recalls behind their answers."""
    return cast(RecallLog, request.app.state.recall_log)


RecallLogDep = Annotated[RecallLog, Depends(get_recall_log)]
