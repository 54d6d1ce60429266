"""The real client against a real server that fails in every way a server can."""

import json
import time

import pytest

from app.llm.errors import LlmAnswerError, LlmRefusedError, LlmUnavailableError
from app.llm.protocol import Usage
from tests.llm.client import GOOD, Ledger, Note, ask
from tests.llm.server import Json, Reply, WireServer, completion, failed


async def test_a_server_that_asks_to_wait_a_little_is_given_the_time(
    wire_server: WireServer,
) -> None:
    wire_server.script(failed(429, headers={"Retry-After": "0.4"}), GOOD)
    started = time.monotonic()

    await ask(wire_server)

    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize("told", ["120", "Wed, 21 Oct 2099 07:28:00 GMT", "1e99"])
async def test_a_server_that_asks_to_wait_long_is_left_alone(
    wire_server: WireServer, told: str
) -> None:
    wire_server.script(failed(429, headers={"Retry-After": told}), GOOD)

    with pytest.raises(LlmUnavailableError) as caught:
        await ask(wire_server)

    assert len(wire_server.requests) == 1
    assert 120 <= int(caught.value.headers["Retry-After"]) <= 86_400


async def test_an_account_without_money_is_not_asked_again(wire_server: WireServer) -> None:
    error = {"message": "quota", "type": "insufficient_quota", "code": "insufficient_quota"}
    wire_server.script(Reply(json.dumps({"error": error}).encode(), 429), GOOD)

    with pytest.raises(LlmUnavailableError, match="used up"):
        await ask(wire_server)

    assert len(wire_server.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        failed(500),
        failed(503, headers={"Retry-After": "0"}),
        failed(429, headers={"Retry-After": "soon"}),
        Reply(b"<html>"),
        Reply(b'{"id": "chatcmpl-1", "object": "chat.compl'),
        Reply(GOOD.body, cut=0),
        Reply(GOOD.body, cut=40),
    ],
)
async def test_one_passing_failure_goes_unnoticed(wire_server: WireServer, failure: Reply) -> None:
    wire_server.script(failure, GOOD)

    assert await ask(wire_server) == Note(text="fine", tags=["a"])

    assert len(wire_server.requests) == 2


async def test_a_server_that_stays_broken_is_unavailable_after_few_attempts(
    wire_server: WireServer,
) -> None:
    wire_server.handler = lambda _: failed(500)

    with pytest.raises(LlmUnavailableError, match="status 500"):
        await ask(wire_server, attempts=2)

    # The last one is the shortest of questions, to tell whether it is there at all.
    assert [len(sent["messages"]) for sent in wire_server.requests] == [2, 2, 1]


async def test_a_slow_server_is_unavailable_and_what_it_may_have_computed_is_counted(
    wire_server: WireServer,
) -> None:
    wire_server.handler = lambda _: Reply(GOOD.body, delay_s=30)
    ledger = Ledger()
    started = time.monotonic()

    with pytest.raises(LlmUnavailableError, match="too long"):
        await ask(wire_server, ledger, attempts=2, timeout_s=0.3)

    assert time.monotonic() - started < 10
    assert len(ledger.entries) == 3
    assert all(usage.prompt_tokens > 0 == usage.completion_tokens for usage in ledger.entries)


@pytest.mark.parametrize("failure", [failed(500), Reply(GOOD.body, delay_s=30)])
async def test_a_text_that_alone_is_not_answered_is_its_own_failure_and_not_the_servers(
    wire_server: WireServer, failure: Reply
) -> None:
    def choosy(request: Json) -> Reply:
        return failure if "A text." in json.dumps(request) else completion("yes", finish="length")

    wire_server.handler = choosy
    ledger = Ledger()

    with pytest.raises(LlmAnswerError, match="answers others"):
        await ask(wire_server, ledger, attempts=2, timeout_s=0.3)

    assert wire_server.requests[-1]["max_tokens"] == 1
    assert ledger.entries[-1] == Usage(100, 20)


async def test_a_server_that_is_not_there_is_unavailable_and_costs_nothing() -> None:
    server, ledger = WireServer(), Ledger()
    server.url = "http://127.0.0.1:9/v1"

    with pytest.raises(LlmUnavailableError):
        await ask(server, ledger, attempts=2)

    assert ledger.entries == []


@pytest.mark.parametrize("status", [401, 403, 404, 413])
async def test_a_server_that_refuses_is_not_asked_again(
    wire_server: WireServer, status: int
) -> None:
    wire_server.script(failed(status, "SECRET"), GOOD)

    with pytest.raises(LlmRefusedError, match=str(status)) as caught:
        await ask(wire_server)

    assert "SECRET" not in caught.value.detail
    assert len(wire_server.requests) == 1


async def test_a_text_longer_than_the_context_is_refused_at_once(wire_server: WireServer) -> None:
    wire_server.script(failed(400, "This model's maximum context length is 4096 tokens."), GOOD)

    with pytest.raises(LlmRefusedError, match="400"):
        await ask(wire_server)

    assert len(wire_server.requests) == 1
