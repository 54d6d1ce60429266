"""What a suite asks of the service that it measures."""

from typing import Any, Protocol

Json = Any
"""Whatever the service answers."""


class Api(Protocol):
    """A running service, called with a key that may write."""

    async def call(self, method: str, path: str, body: object = None) -> Json:
        """Make a request; return its JSON.

        Raises:
            CallFailedError: the answer is a failure.
        """
        ...
