"""What every request body has in common, and the sizes of its parts."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from app.kit.errors import InvalidItemError, LimitExceededError
from app.kit.settings import LimitSettings
from app.kit.text import clean_json

_MOST_MEMBERS = 64


class Body(BaseModel):
    """A request body, or an object in one: unknown members are refused, so that typos show."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_members(cls, value: object) -> object:
        """Refuse what could only give thousands of complaints about unknown members."""
        if isinstance(value, dict) and len(value) > _MOST_MEMBERS:
            msg = f"must not have more than {_MOST_MEMBERS} members"
            raise ValueError(msg)
        return value


def check_content(content: str, path: str, limits: LimitSettings) -> None:
    """Refuse a text that is longer than one memory may be."""
    if len(content.encode()) > limits.content_bytes:
        raise too_much(path, f"{limits.content_bytes} bytes")


def check_metadata(metadata: dict[str, Any], path: str, limits: LimitSettings) -> None:
    """Refuse metadata that Postgres cannot hold, or that is too deep or too large."""
    try:
        clean_json(metadata, max_depth=limits.metadata_depth)
    except ValueError as error:
        msg = f"{path} {error}."
        raise InvalidItemError(msg, path=path) from error
    if metadata and len(json.dumps(metadata, ensure_ascii=False).encode()) > limits.metadata_bytes:
        raise too_much(path, f"{limits.metadata_bytes} bytes as JSON")


def too_much(path: str, limit: str) -> LimitExceededError:
    """Return the refusal of a part that is larger than its limit."""
    return LimitExceededError(f"{path} exceeds the limit of {limit}.", path=path, limit=limit)
