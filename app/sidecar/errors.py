"""What the sidecar answers instead of a result."""

from app.kit.errors import Problem, ServiceUnavailableError


class UnauthorizedError(Problem):
    """The bearer token is missing or wrong."""

    slug = "unauthorized"
    status = 401
    title = "Unauthorized"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.headers["WWW-Authenticate"] = "Bearer"


class ModelNotFoundError(Problem):
    """The named model is not served here."""

    slug = "model-not-found"
    status = 404
    title = "Model not found"


class TooManyTextsError(Problem):
    """The request holds more texts than the limit."""

    slug = "too-many-texts"
    status = 413
    title = "Too many texts"


class UnsupportedRequestError(Problem):
    """The request is well formed, but asks for what the model cannot give."""

    slug = "unsupported-request"
    status = 422
    title = "Unsupported request"


class QueueFullError(Problem):
    """Too many texts wait; come back after `Retry-After`."""

    slug = "queue-full"
    status = 429
    title = "Queue full"


class HungUpError(Problem):
    """The caller closed the connection; nobody reads this answer."""

    slug = "client-closed-request"
    status = 499
    title = "Client closed request"


class DeviceMemoryError(ServiceUnavailableError):
    """The device ran out of memory, also with half the batch."""

    slug = "device-out-of-memory"
    title = "Device out of memory"


class ModelLoadError(Exception):
    """The model cannot be loaded; the message says what to do."""
