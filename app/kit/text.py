"""Types for what callers send: texts Postgres can hold, ids fit for a path, times with offset."""

import math
import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def clean(text: str) -> str:
    """Return the text as it is; refuse what Postgres or UTF-8 cannot hold.

    Raises:
        ValueError: a NUL character or a lone surrogate.
    """
    if "\x00" in text:
        msg = "must not contain the NUL character"
        raise ValueError(msg)
    # ASCII is the usual case and is known without a scan; a surrogate is seen by encoding.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            msg = "must not contain a lone surrogate"
            raise ValueError(msg) from error
    return text


def not_blank(text: str) -> str:
    """Refuse a text of nothing but white space."""
    if not text.strip():
        msg = "must not be blank"
        raise ValueError(msg)
    return text


def _reachable(text: str) -> str:
    """Refuse ids that no path can name; clients, for one, remove ``.`` and ``..`` from it."""
    if text in {".", ".."}:
        msg = "must not be '.' or '..'"
        raise ValueError(msg)
    if _CONTROL.search(text):
        msg = "must not contain control characters"
        raise ValueError(msg)
    return text


def clean_json(value: object, *, max_depth: int) -> None:
    """Refuse JSON that Postgres cannot hold, or that is nested deeper than ``max_depth``.

    A scalar has depth 0, a flat object 1.

    Raises:
        ValueError: a NUL, a lone surrogate, a number that is not finite, or too deep.
    """
    level: list[object] = [value]
    for _ in range(max_depth + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    msg = f"must not be nested deeper than {max_depth}"
    raise ValueError(msg)


def _children(node: object) -> list[object]:
    """Return the values right below a node, after a look at the node itself."""
    if isinstance(node, str):
        clean(node)
    elif isinstance(node, float) and not math.isfinite(node):
        msg = "must not contain NaN or Infinity"
        raise ValueError(msg)
    elif isinstance(node, dict):
        for key in node:
            clean(key)
        return list(node.values())
    elif isinstance(node, list):
        return node
    return []


def _rfc3339(value: object) -> object:
    # Pydantic alone would also take numbers, as seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.match(value)):
        return value
    msg = "must be an RFC 3339 time with offset, such as 2026-01-31T09:30:00+01:00"
    raise ValueError(msg)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        msg = "must lie in the years 1 to 9999"
        raise ValueError(msg) from error


def _number(value: object) -> object:
    # Pydantic alone would also take texts and truth values; 7.0 is a whole number in JSON.
    if isinstance(value, str | bytes | bool):
        msg = "must be a number"
        raise ValueError(msg)  # noqa: TRY004  -- pydantic answers this one
    return value


NUMBER = BeforeValidator(_number)
"""Last annotation of a number in a body: refuses texts that spell one, and true and false."""

CleanText = Annotated[str, AfterValidator(clean)]
"""Any text without NUL and lone surrogates; may be empty."""

ExternalId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256),
    AfterValidator(clean),
    AfterValidator(not_blank),
    AfterValidator(_reachable),
    Field(examples=["alice"]),
]
"""An id that callers chose: a user, an agent, a session. 1 to 256 characters, not blank."""

Label = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(clean),
    AfterValidator(not_blank),
]
"""A short name shown to people."""


def _iso_day(value: object) -> object:
    """Refuse what is no RFC 3339 date: a number would be read as seconds since 1970."""
    if not isinstance(value, date) and not (isinstance(value, str) and _DAY.fullmatch(value)):
        msg = "must be a date such as 2026-01-31"
        raise ValueError(msg)
    return value


Day = Annotated[date, BeforeValidator(_iso_day), Field(examples=["2026-01-31"])]
"""A calendar day."""

AwareTime = Annotated[
    AwareDatetime,
    BeforeValidator(_rfc3339),
    AfterValidator(_in_utc),
    Field(examples=["2026-01-31T09:30:00+01:00"]),
]
"""An RFC 3339 time; one without offset is refused. Held in UTC."""
