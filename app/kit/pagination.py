"""Keyset pagination: an opaque cursor over one ever-growing number."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from app.kit.errors import InvalidCursorError

Item = TypeVar("Item")
Row = TypeVar("Row")

PageLimit = Annotated[int, Query(ge=1, le=200, description="Items a page.")]
PageCursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before.")
]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = None


def encode_cursor(position: int) -> str:
    """Return the cursor that continues after ``position``."""
    return base64.urlsafe_b64encode(f"v1:{position}".encode()).decode().rstrip("=")


def trim(
    rows: Sequence[Row], limit: int, position: Callable[[Row], int]
) -> tuple[Sequence[Row], str | None]:
    """Return a page and the cursor behind it, from rows of which one more was asked for."""
    if len(rows) <= limit:
        return rows, None
    kept = rows[:limit]
    return kept, encode_cursor(position(kept[-1]))


def decode_cursor(cursor: str | None, *, bits: int = 63) -> int | None:
    """Return the position a cursor stands for, below 2^bits; ``None`` for the first page."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        version, _, position = base64.urlsafe_b64decode(padded).decode("ascii").partition(":")
        value = int(position)
    except (binascii.Error, ValueError) as error:
        msg = "The cursor is not one of this list's."
        raise InvalidCursorError(msg) from error
    if version != "v1" or not 0 <= value < 2**bits:
        msg = "The cursor is not one of this list's."
        raise InvalidCursorError(msg)
    return value
