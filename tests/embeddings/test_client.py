"""The HTTP embedder against servers that fail, stall, or are not ours."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from app.embeddings import kernel
from app.embeddings.client import HttpEmbedder, Reply
from app.embeddings.errors import EmbedderRefusedError, EmbedderUnavailableError
from app.kit.settings import EmbeddingSettings

SETTINGS = EmbeddingSettings(url="http://embedder.test/v1", model="m", batch=4, query_timeout_s=1)

Handler = Callable[[httpx.Request], httpx.Response]


class Wire:
    """Hands requests to a handler instead of a socket."""

    def __init__(self, handler: Handler, settings: EmbeddingSettings) -> None:
        self.handler, self.settings = handler, settings

    async def post(self, route: str, body: bytes) -> Reply:
        request = httpx.Request("POST", f"{self.settings.url}/{route}", content=body)
        response = self.handler(request)
        return Reply(response.status_code, response.headers, response.content)

    async def aclose(self) -> None:
        """Nothing is open."""


class Server:
    """Answers like an embedder, after the given failures; remembers what it was asked."""

    def __init__(self, *failures: httpx.Response | Exception, scale: float = 1.0) -> None:
        self.failures = list(failures)
        self.scale = scale
        self.requests: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(json.loads(request.content))
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        rows = [
            {"object": "embedding", "index": index, "embedding": self.vector(text)}
            for index, text in enumerate(self.requests[-1]["input"])
        ]
        # Not in order: only the index says which text a vector belongs to.
        return httpx.Response(200, json={"object": "list", "model": "m", "data": rows[::-1]})

    def vector(self, text: str) -> object:
        """Return the text's length as a vector."""
        return [len(text) * self.scale, self.scale]


def embedder_of(server: Handler, settings: EmbeddingSettings = SETTINGS) -> HttpEmbedder:
    return HttpEmbedder(settings, http=Wire(server, settings))


async def test_texts_go_out_in_batches() -> None:
    server = Server()

    vectors = await embedder_of(server).embed([str(10**size) for size in range(10)])

    assert sorted(len(request["input"]) for request in server.requests) == [2, 4, 4]
    assert all(request["encoding_format"] == "base64" for request in server.requests)
    ratios = vectors[:, 0] / vectors[:, 1]
    np.testing.assert_allclose(ratios, range(1, 11), rtol=1e-5)


async def test_huge_texts_go_out_in_smaller_batches() -> None:
    server = Server()

    await embedder_of(server).embed(["x" * 200_000] * 3)

    assert [len(request["input"]) for request in server.requests] == [1, 1, 1]


async def test_vectors_of_another_length_become_unit_vectors() -> None:
    vector = await embedder_of(Server(scale=7)).embed_query("four")

    np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-6)


@pytest.mark.parametrize(
    "failure",
    [
        aiohttp.ClientOSError("refused"),
        aiohttp.ServerDisconnectedError("hung up"),
        aiohttp.ClientPayloadError("cut off"),
        httpx.Response(500),
        httpx.Response(503, headers={"Retry-After": "0"}),
        httpx.Response(429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}),
    ],
)
async def test_one_passing_failure_goes_unnoticed(failure: httpx.Response | Exception) -> None:
    server = Server(failure)

    assert len(await embedder_of(server).embed(["a", "b"])) == 2
    assert len(server.requests) == 2


async def test_a_server_that_asks_to_wait_is_given_the_time() -> None:
    server = Server(httpx.Response(429, headers={"Retry-After": "0.4"}))
    started = time.monotonic()

    await embedder_of(server).embed(["a"])

    assert time.monotonic() - started >= 0.4


async def test_an_embedder_that_stays_away_is_unavailable_after_few_attempts() -> None:
    server = Server(*[httpx.Response(503, headers={"Retry-After": "0"})] * 99)

    with pytest.raises(EmbedderUnavailableError) as caught:
        await embedder_of(server).embed(["a"])

    assert len(server.requests) == 4
    assert caught.value.headers["Retry-After"]


async def test_a_refused_connection_is_unavailable() -> None:
    embedder = HttpEmbedder(SETTINGS.model_copy(update={"url": "http://127.0.0.1:9/v1"}))

    with pytest.raises(EmbedderUnavailableError):
        await embedder.embed_query("a")

    await embedder.aclose()


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422])
async def test_a_refusal_is_not_repeated_and_not_called_unavailable(status: int) -> None:
    server = Server(httpx.Response(status, json={"code": "some-code"}))

    with pytest.raises(EmbedderRefusedError, match=str(status)):
        await embedder_of(server).embed(["a"])

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b'{"data": []}',
        b'{"object": "list", "model": "m", "data": []}',
        b'{"object": "list", "model": "m", "data": [{"index": 0, "embedding": "AAA"}]}',
        b'{"object": "list", "model": "m", "data": [{"index": 0, "embedding": [0, 0]}]}',
        b'{"object": "list", "model": "m", "data": [{"index": 1, "embedding": [1, 0]}]}',
    ],
)
async def test_an_answer_that_holds_no_vectors_is_a_refusal(answer: bytes) -> None:
    with pytest.raises(EmbedderRefusedError, match="unusable"):
        await embedder_of(lambda _: httpx.Response(200, content=answer)).embed(["a"])


async def test_base64_and_float_answers_are_the_same_vectors() -> None:
    class Packed(Server):
        def vector(self, text: str) -> object:
            raw = np.array([len(text), 1], "<f4").tobytes()
            return base64.b64encode(raw).decode()

    texts = ["a", "bb", "ccc"]

    packed = await embedder_of(Packed()).embed(texts)

    np.testing.assert_array_equal(packed, await embedder_of(Server()).embed(texts))


async def test_a_query_gives_up_at_its_own_time_out() -> None:
    class Stalling(Wire):
        async def post(self, _route: str, _body: bytes) -> Reply:
            await asyncio.sleep(30)
            raise AssertionError

    settings = SETTINGS.model_copy(update={"query_timeout_s": 0.2})
    embedder = HttpEmbedder(settings, http=Stalling(Server(), settings))
    started = time.monotonic()

    with pytest.raises(EmbedderUnavailableError):
        await embedder.embed_query("a")

    assert time.monotonic() - started < 5


async def test_one_failed_batch_fails_the_call_as_itself() -> None:
    def refuse_the_last(request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)["input"]
        return httpx.Response(400) if "last" in texts else Server()(request)

    with pytest.raises(EmbedderRefusedError):
        await embedder_of(refuse_the_last).embed([*"abcdefgh", "last"])


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_without_a_windows_route_windows_are_cut_by_bytes_from_then_on(status: int) -> None:
    routes: list[str] = []

    def external(request: httpx.Request) -> httpx.Response:
        routes.append(request.url.path)
        return httpx.Response(status, json={"error": {"message": "unknown route"}})

    embedder = embedder_of(external)
    text = "word " * 400

    assert await embedder.windows([text]) == [kernel.byte_windows(text)]
    assert await embedder.windows(["again"]) == [kernel.byte_windows("again")]
    assert routes == ["/v1/windows"]


async def test_windows_of_a_model_that_our_sidecar_lacks_are_a_refusal() -> None:
    body = {"title": "", "status": 404, "detail": "", "code": "model-not-found"}

    with pytest.raises(EmbedderRefusedError, match="model-not-found"):
        await embedder_of(lambda _: httpx.Response(404, json=body)).windows(["a"])


class Raw:
    """A socket that reads one request whole and answers with fixed bytes."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self.answers:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.lower())
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            answer = self.answers.pop(0)
            writer.write(answer)
            await writer.drain()
            if b"keep-alive" not in answer:
                break
        writer.close()


@asynccontextmanager
async def raw(*answers: bytes, timeout_s: float = 5) -> AsyncGenerator[tuple[Raw, HttpEmbedder]]:
    """Yield a server on a free port and an embedder that talks to it."""
    wire = Raw(*answers)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = EmbeddingSettings(
        url=f"http://127.0.0.1:{port}/v1", model="m", key=SecretStr("secret"), timeout_s=timeout_s
    )
    embedder = HttpEmbedder(settings)
    try:
        yield wire, embedder
    finally:
        await embedder.aclose()
        server.close()


_VECTOR = b'{"object": "list", "model": "m", "data": [{"index": 0, "embedding": [3, 4]}]}'


def _answer(body: bytes, *headers: bytes) -> bytes:
    head = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(_VECTOR), *headers]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


async def test_the_token_goes_out_over_one_kept_connection() -> None:
    kept = _answer(_VECTOR, b"Connection: keep-alive")
    async with raw(kept, kept) as (wire, embedder):
        first = await embedder.embed_query("a")
        await embedder.embed_query("b")

    np.testing.assert_allclose(first, [0.6, 0.8], atol=1e-6)
    assert len(wire.heads) == 2
    assert all(b"authorization: bearer secret\r\n" in head for head in wire.heads)
    assert wire.heads[0].startswith(b"post /v1/embeddings ")


async def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    async with raw(_answer(_VECTOR[:20]), _answer(_VECTOR)) as (wire, embedder):
        vector = await embedder.embed_query("a")

    assert len(wire.heads) == 2
    np.testing.assert_allclose(vector, [0.6, 0.8], atol=1e-6)


async def test_a_server_that_never_ends_its_answer_is_unavailable() -> None:
    stalled = _answer(_VECTOR[:20], b"Connection: keep-alive")
    async with raw(stalled, b"", timeout_s=0.3) as (_, embedder):
        with pytest.raises(EmbedderUnavailableError):
            await embedder.embed(["a"])


class TokenServer(Server):
    """An embedder that gives token bits where it is asked for them: a token a character."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = super().__call__(request)
        if answer.status_code != 200 or not self.requests[-1].get("token_bits"):
            return answer
        held = answer.json()
        for row in held["data"]:
            text = self.requests[-1]["input"][row["index"]]
            bits = base64.b64encode(text.encode()).decode()
            row["token_bits"] = {"shape": [len(text), 2], "bits": bits}
        return httpx.Response(200, json=held)


async def test_token_bits_are_asked_for_only_where_they_are_wanted() -> None:
    server = TokenServer()
    embedder = embedder_of(server)

    await embedder.embed(["a"])
    await embedder.embed_query("a")
    plain = ["token_bits" in request for request in server.requests]
    found = await embedder.embed_with_tokens([str(10**size) for size in range(6)])
    query = await embedder.embed_query_with_tokens("abc")

    assert plain == [False, False]
    assert found.tokens is not None
    assert [one.tobytes() for one in found.tokens] == [b"1" + b"0" * size for size in range(6)]
    assert query.tokens is not None
    assert query.tokens[0].tolist() == [[97], [98], [99]]


async def test_a_server_without_the_extension_is_asked_for_it_once() -> None:
    server = Server()
    embedder = embedder_of(server)
    before = embedder.has_tokens

    found = [await embedder.embed_with_tokens(["a"]), await embedder.embed_query_with_tokens("b")]

    assert [one.tokens for one in found] == [None, None]
    assert (before, embedder.has_tokens) == (True, False)
    assert ["token_bits" in request for request in server.requests] == [True, False]


async def test_a_server_that_refuses_the_extension_is_used_without_it() -> None:
    server = Server(httpx.Response(422))
    embedder = embedder_of(server)

    found = await embedder.embed_query_with_tokens("four")

    assert len(found.vectors) == 1
    assert not embedder.has_tokens
    assert ["token_bits" in request for request in server.requests] == [True, False]


async def test_what_is_refused_anyway_does_not_count_against_the_extension() -> None:
    embedder = embedder_of(TokenServer(httpx.Response(400), httpx.Response(400)))

    with pytest.raises(EmbedderRefusedError):
        await embedder.embed_with_tokens(["a"])

    assert embedder.has_tokens
    assert (await embedder.embed_with_tokens(["a"])).tokens is not None


@pytest.mark.parametrize("bits", ["no base64!", "YQ=="])
async def test_unusable_token_bits_are_no_answer(bits: str) -> None:
    row = {"index": 0, "embedding": [1.0], "token_bits": {"shape": [2, 9], "bits": bits}}

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"object": "list", "model": "m", "data": [row]})

    with pytest.raises(EmbedderRefusedError):
        await embedder_of(answer).embed_with_tokens(["a"])
