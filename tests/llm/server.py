"""A real HTTP server that speaks the wire format of chat completions, by a script.

``wire_server`` is a fixture of ``tests/llm/conftest.py``; other rooms import it from here.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from app.kit.settings import LanguageModelSettings

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it goes over the wire."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: int | None = None
    """Bytes after which the connection breaks, though more were promised."""


def completion(
    text: str | None,
    *,
    finish: str = "stop",
    refusal: str | None = None,
    tokens: tuple[int, int] | None = (100, 20),
) -> Reply:
    """Return a whole answer of the model."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    body: Json = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "wire",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if tokens is not None:
        read, written = tokens
        counts = {"prompt_tokens": read, "completion_tokens": written}
        body["usage"] = counts | {"total_tokens": read + written}
    return Reply(json.dumps(body).encode())


def answered(**members: object) -> Reply:
    """Return an answer that is a JSON object."""
    return completion(json.dumps(members))


def failed(status: int, message: str = "no", headers: Mapping[str, str] | None = None) -> Reply:
    """Return an error as OpenAI words it."""
    error = {"message": message, "type": "error", "param": None, "code": None}
    return Reply(json.dumps({"error": error}).encode(), status, headers or {})


Handler = Callable[[Json], Reply]


class WireServer:
    """Gives replies in order, or as ``handler`` decides; keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.replies: list[Reply] = []
        self.handler: Handler | None = None
        self.requests: list[Json] = []
        self.headers: list[Mapping[str, str]] = []

    def script(self, *replies: Reply) -> None:
        """Set the replies to come."""
        self.replies = list(replies)

    def settings(self, **changes: Any) -> LanguageModelSettings:  # noqa: ANN401
        """Return settings that point here, patient only as long as a test is."""
        given = {"timeout_s": 5.0, "key": SecretStr("secret"), **changes}
        return LanguageModelSettings(url=self.url, model="wire", **given)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
        }
        request = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.requests.append(request)
        self.headers.append(headers)
        if head[0].split()[:2] != ["POST", "/v1/chat/completions"]:
            return await _send(writer, failed(404))
        if self.handler is not None:
            return await _send(writer, self.handler(request))
        return await _send(writer, self.replies.pop(0) if self.replies else failed(418))


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Send a reply; return whether the connection goes on."""
    await asyncio.sleep(reply.delay_s)
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(reply.body)),
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    writer.write(reply.body[: reply.cut])
    await writer.drain()
    return reply.cut is None


@asynccontextmanager
async def listening() -> AsyncGenerator[WireServer]:
    """Yield a server on a free port."""
    server = WireServer()
    socket = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{socket.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        socket.close()
