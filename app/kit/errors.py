"""Expected failures: each is a Problem (RFC 9457) with a stable code."""

from typing import ClassVar


class Problem(Exception):  # noqa: N818  -- the RFC's word
    """An expected failure, answered as application/problem+json.

    Subclasses set ``slug`` (the stable ``code``), ``status`` and ``title``; an instance adds the
    detail and further members.
    """

    slug: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, **extensions: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extensions = extensions
        self.headers: dict[str, str] = {}

    def retry_after(self, seconds: float) -> "Problem":
        """Add a Retry-After header of at least one second; return the problem."""
        self.headers["Retry-After"] = str(max(1, round(seconds)))
        return self


class ServiceUnavailableError(Problem):
    """A part the request cannot do without is away; try again."""

    slug = "service-unavailable"
    status = 503
    title = "Service unavailable"


class DatabaseUnavailableError(ServiceUnavailableError):
    """Postgres did not answer, or broke off."""

    slug = "database-unavailable"
    title = "Database unavailable"


class InvalidCursorError(Problem):
    """The cursor did not come from this list."""

    slug = "invalid-cursor"
    status = 422
    title = "Invalid cursor"


class BodyTooLargeError(Problem):
    """The request body is larger than the limit."""

    slug = "body-too-large"
    status = 413
    title = "Body too large"


class InvalidRequestError(Problem):
    """The request does not have the shape that the route takes; ``errors`` lists where."""

    slug = "invalid-request"
    status = 422
    title = "Invalid request"


class LimitExceededError(Problem):
    """One part of the request is larger than its limit."""

    slug = "limit-exceeded"
    status = 413
    title = "Limit exceeded"


class InvalidItemError(Problem):
    """One part of the request has the wrong form."""

    slug = "invalid-item"
    status = 422
    title = "Invalid item"


class InvalidJsonError(Problem):
    """The body is not JSON in UTF-8."""

    slug = "invalid-json"
    status = 422
    title = "Invalid JSON"


class UnsupportedMediaTypeError(Problem):
    """The body was not declared as JSON."""

    slug = "unsupported-media-type"
    status = 415
    title = "Unsupported media type"


class RouteNotFoundError(Problem):
    """There is nothing at this path."""

    slug = "route-not-found"
    status = 404
    title = "Not found"


class MethodNotAllowedError(Problem):
    """The path exists, but does not take this method."""

    slug = "method-not-allowed"
    status = 405
    title = "Method not allowed"


class NotReadyError(ServiceUnavailableError):
    """The service cannot answer yet; ``parts`` says what is missing."""

    slug = "not-ready"
    title = "Not ready"


class InternalError(Problem):
    """A bug of ours; the request id finds it in the logs."""
