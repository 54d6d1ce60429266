"""The measured service over HTTP."""

from types import TracebackType
from typing import Self

import aiohttp

from app.evaluation.errors import CallFailedError
from app.evaluation.protocol import Json

_PATIENCE_S = 300


class HttpApi:
    """Calls a service by its URL, with one key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}

    async def __aenter__(self) -> Self:
        """Open the connections."""
        timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._session.close()

    async def call(self, method: str, path: str, body: object = None) -> Json:
        """Make a request; return its JSON."""
        try:
            async with self._session.request(method, self._url + path, json=body) as answer:
                if answer.status >= 400:
                    msg = f"{method} {path}: {answer.status} {await answer.text()}"
                    raise CallFailedError(msg)
                return await answer.json() if answer.content_length != 0 else None
        except aiohttp.ClientError as error:
            msg = f"{method} {path}: {error}"
            raise CallFailedError(msg) from error
