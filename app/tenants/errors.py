"""What can go wrong between a caller and its tenant."""

from app.kit.errors import Problem


class MissingKeyError(Problem):
    """The request carries no API key."""

    slug = "missing-api-key"
    status = 401
    title = "API key missing"

    def __init__(self) -> None:
        super().__init__("Send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.")
        self.headers["WWW-Authenticate"] = "Bearer"


class InvalidKeyError(Problem):
    """The API key is unknown, revoked or expired."""

    slug = "invalid-api-key"
    status = 401
    title = "API key invalid"

    def __init__(self) -> None:
        super().__init__("The API key is unknown, revoked or expired.")
        self.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'


class MissingScopeError(Problem):
    """The API key may not do this."""

    slug = "missing-scope"
    status = 403
    title = "Scope missing"

    @classmethod
    def of(cls, scope: str) -> "MissingScopeError":
        """Name the scope the key would need."""
        return cls(f"This needs a key with the scope `{scope}`.", scope=scope)


class OtherOwnerError(Problem):
    """The API key is bound to one user or agent, and the request names another."""

    slug = "other-owner"
    status = 403
    title = "Bound to another owner"

    @classmethod
    def of(cls, kind: str) -> "OtherOwnerError":
        """Say what the key is bound to, not to whom."""
        return cls(f"This key is bound to one {kind}; the request must name it and no other.")


class OwnerRequiredError(Problem):
    """The request names neither a user nor an agent."""

    slug = "owner-required"
    status = 422
    title = "Owner required"

    def __init__(self) -> None:
        super().__init__("Name a `user_id` or an `agent_id`.")


class OwnerNotFoundError(Problem):
    """No such user or agent in the key's tenant."""

    slug = "owner-not-found"
    status = 404
    title = "Owner not found"

    @classmethod
    def of(cls, kind: str) -> "OwnerNotFoundError":
        """Name the kind of owner."""
        return cls(f"There is no such {kind}.")


class TenantNotFoundError(Problem):
    """No such tenant."""

    slug = "tenant-not-found"
    status = 404
    title = "Tenant not found"

    def __init__(self) -> None:
        super().__init__("There is no such tenant.")


class OwnTenantError(Problem):
    """A key cannot delete the tenant it belongs to."""

    slug = "own-tenant"
    status = 409
    title = "The key's own tenant"

    def __init__(self) -> None:
        super().__init__("A key cannot delete the tenant it belongs to.")


class KeyNotFoundError(Problem):
    """No such API key in the tenant, or it is revoked."""

    slug = "key-not-found"
    status = 404
    title = "API key not found"

    def __init__(self) -> None:
        super().__init__("There is no such API key.")


class RateLimitedError(Problem):
    """The API key sent more requests a minute than it may."""

    slug = "rate-limited"
    status = 429
    title = "Too many requests"


class QuotaExceededError(Problem):
    """The API key stored as many items today (UTC) as it may."""

    slug = "quota-exceeded"
    status = 429
    title = "Daily quota exceeded"


class InvalidKeyRequestError(Problem):
    """The API key that was asked for would be of no use."""

    slug = "invalid-key-request"
    status = 422
    title = "Useless API key"
