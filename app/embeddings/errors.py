"""What can go wrong between us and the embedder."""

from app.kit.errors import Problem, ServiceUnavailableError


class EmbedderError(Problem):
    """No vectors came back."""

    slug = "embedder-error"
    status = 502
    title = "Embedder failed"


class EmbedderUnavailableError(EmbedderError, ServiceUnavailableError):
    """The embedder is away, overloaded or too slow; try again."""

    slug = "embedder-unavailable"
    status = 503
    title = "Embedder unavailable"


class EmbedderRefusedError(EmbedderError):
    """The embedder answered, but not with vectors: a repeat would fail the same way."""

    slug = "embedder-refused"
    title = "Embedder refused"
