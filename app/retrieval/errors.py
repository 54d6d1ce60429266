"""Expected failures of the room."""

from app.kit.errors import Problem


class InvalidFilterError(Problem):
    """A node of the filter is wrong; ``path`` names it."""

    slug = "invalid-filter"
    status = 422
    title = "Invalid filter"


class QueryTooLongError(Problem):
    """The query is longer than the limit."""

    slug = "query-too-long"
    status = 413
    title = "Query too long"
