"""A request's filter, read."""

from typing import Any

from app.retrieval.errors import InvalidFilterError
from app.retrieval.kernel import filters


def parse_filters(tree: dict[str, Any] | None) -> filters.FilterNode | None:
    """Return a request's filter.

    Raises:
        InvalidFilterError: with the path of the offending node.
    """
    if tree is None:
        return None
    try:
        return filters.parse(tree)
    except filters.FilterError as error:
        msg = f"{error.path}: {error.reason}."
        raise InvalidFilterError(msg, path=error.path) from error
