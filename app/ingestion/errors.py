"""Expected failures of writes."""

from app.kit.errors import Problem


class IdempotencyConflictError(Problem):
    """The Idempotency-Key was used before, with another body."""

    slug = "idempotency-conflict"
    status = 409
    title = "Idempotency-Key was used with another body"


class ClientIdConflictError(Problem):
    """The client_id was used before, with another body."""

    slug = "client-id-conflict"
    status = 409
    title = "client_id was used with another body"
