"""The real client and answers that are not what was asked for: repaired once, never believed."""

import pytest

from app.llm.errors import (
    LlmAnswerError,
    LlmBudgetExceededError,
    LlmError,
    LlmRefusedError,
)
from app.llm.protocol import Usage
from tests.llm.client import GOOD, Ledger, Note, ask
from tests.llm.server import Reply, WireServer, completion


@pytest.mark.parametrize(
    "text",
    [
        'Certainly!\n```json\n{"text": "fine", "tags": ["a"]}\n```\nAnything else?',
        '<think>{"text": "no"}</think>{"text": "fine", "tags": ["a"]}',
        'Here you are: {"text": "fine", "tags": ["a"]} Bye.',
    ],
)
async def test_courtesies_around_an_answer_do_no_harm(wire_server: WireServer, text: str) -> None:
    wire_server.script(completion(text))

    assert await ask(wire_server) == Note(text="fine", tags=["a"])


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ('{"text": "fi', "no JSON object"),
        ("I cannot see why.", "no JSON object"),
        ('{"tags": []}', "text: Field required"),
        ('{"text": "x", "tags": ["a", "b", "c", "d"]}', "tags: List should have at most 3 items"),
        ("[1, 2]", "no JSON object"),
    ],
)
async def test_an_answer_out_of_form_is_repaired_once(
    wire_server: WireServer, bad: str, complaint: str
) -> None:
    wire_server.script(completion(bad), GOOD)
    ledger = Ledger()

    assert await ask(wire_server, ledger) == Note(text="fine", tags=["a"])

    assert len(ledger.entries) == 2
    said, told = wire_server.requests[1]["messages"][2:]
    assert said == {"role": "assistant", "content": bad}
    assert complaint in told["content"]


@pytest.mark.parametrize("bad", ["SECRET words", '{"wrong SECRET": 1}'])
async def test_an_answer_out_of_form_twice_is_an_error_that_quotes_nothing(
    wire_server: WireServer, bad: str
) -> None:
    wire_server.script(completion(bad), completion(bad), GOOD)

    with pytest.raises(LlmAnswerError) as caught:
        await ask(wire_server)

    assert "SECRET" not in caught.value.detail
    assert "Note" in caught.value.detail
    assert len(wire_server.requests) == 2


@pytest.mark.parametrize("text", [None, "", "  \n"])
async def test_an_empty_answer_is_an_error(wire_server: WireServer, text: str | None) -> None:
    wire_server.script(completion(text), GOOD)

    with pytest.raises(LlmAnswerError, match="empty"):
        await ask(wire_server)


async def test_an_answer_cut_off_at_its_limit_is_asked_for_once_more_shorter(
    wire_server: WireServer,
) -> None:
    wire_server.script(completion('{"text": "half", "tags": []}', finish="length"), GOOD)
    ledger = Ledger()

    assert await ask(wire_server, ledger, max_output_tokens=5) == Note(text="fine", tags=["a"])

    first, second = (request["messages"] for request in wire_server.requests)
    assert second[:-1] == first
    assert "longer than 5 tokens" in second[-1]["content"]
    assert len(ledger.entries) == 2


async def test_an_answer_cut_off_twice_is_an_error_even_if_it_fits(wire_server: WireServer) -> None:
    half = completion('{"text": "half", "tags": []}', finish="length")
    wire_server.script(half, half, GOOD)
    ledger = Ledger()

    with pytest.raises(LlmAnswerError, match="APP_LLM__MAX_OUTPUT_TOKENS"):
        await ask(wire_server, ledger, max_output_tokens=5)

    assert wire_server.requests[0]["max_tokens"] == 5
    assert ledger.entries == [Usage(100, 20)] * 2


@pytest.mark.parametrize(
    "reply",
    [
        completion(None, refusal="I can't help with that."),
        completion('{"text": "x", "tags": []}', finish="content_filter"),
    ],
)
async def test_a_refusal_is_an_error(wire_server: WireServer, reply: Reply) -> None:
    wire_server.script(reply, GOOD)

    with pytest.raises(LlmRefusedError, match="declined"):
        await ask(wire_server)

    assert len(wire_server.requests) == 1


@pytest.mark.parametrize("body", [b"{}", b'{"choices": []}', b'{"choices": null}', b"[]", b"7"])
async def test_an_answer_in_another_wire_format_is_an_error(
    wire_server: WireServer, body: bytes
) -> None:
    wire_server.handler = lambda _: Reply(body)

    with pytest.raises(LlmError):
        await ask(wire_server, attempts=1)


async def test_a_used_up_budget_stops_the_repair_too(wire_server: WireServer) -> None:
    wire_server.script(completion("no json"), GOOD)

    with pytest.raises(LlmBudgetExceededError):
        await ask(wire_server, Ledger(budget=120))

    assert len(wire_server.requests) == 1
