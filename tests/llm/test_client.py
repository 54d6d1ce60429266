"""The real client against a real server that fails in every way a server can."""

import json
import time
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from app.kit import metrics
from app.llm.client import OpenAiModel
from app.llm.errors import (
    LlmAnswerError,
    LlmBudgetExceededError,
    LlmError,
    LlmRefusedError,
    LlmUnavailableError,
)
from app.llm.protocol import Payer, Prompt, Usage
from tests.llm.server import Json, Reply, WireServer, answered, completion, failed

PAYER = Payer(UUID(int=7), 3)
PROMPT = Prompt("test.note", 1, "You summarise.", "A text.")


class Note(BaseModel):
    """What the tests ask for."""

    text: str
    tags: list[str] = Field(default_factory=list, max_length=3)


GOOD = answered(text="fine", tags=["a"])


class Ledger:
    """An account book without a database."""

    def __init__(self, *, budget: int = 10**9) -> None:
        self.entries: list[Usage] = []
        self.budget = budget

    async def check(self, payer: Payer) -> None:
        assert payer == PAYER
        if sum(map(sum, self.entries)) >= self.budget:
            msg = "used up"
            raise LlmBudgetExceededError(msg)

    async def record(self, payer: Payer, usage: Usage) -> None:
        assert payer == PAYER
        self.entries.append(usage)


def model_of(server: WireServer, ledger: Ledger | None = None, **settings: object) -> OpenAiModel:
    return OpenAiModel(server.settings(**settings), ledger or Ledger())


async def ask(server: WireServer, ledger: Ledger | None = None, **settings: object) -> Note:
    model = model_of(server, ledger, **settings)
    try:
        return await model.ask(PROMPT, Note, payer=PAYER)
    finally:
        await model.aclose()


def count(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_good_answer_comes_back_in_its_form(wire_server: WireServer) -> None:
    wire_server.script(GOOD)
    ledger = Ledger()

    note = await ask(wire_server, ledger)

    assert note == Note(text="fine", tags=["a"])
    assert ledger.entries == [Usage(100, 20)]
    (request,) = wire_server.requests
    assert request["model"] == "wire"
    assert request["messages"] == [
        {"role": "system", "content": "You summarise."},
        {"role": "user", "content": "A text."},
    ]
    assert wire_server.headers[0]["authorization"] == "Bearer secret"


async def test_the_form_goes_out_as_a_strict_schema(wire_server: WireServer) -> None:
    wire_server.script(GOOD)

    await ask(wire_server)

    form = wire_server.requests[0]["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["name"] == "Note"
    assert form["json_schema"]["strict"] is True
    schema = form["json_schema"]["schema"]
    assert schema["required"] == ["text", "tags"]
    assert schema["additionalProperties"] is False
    assert "default" not in schema["properties"]["tags"]


async def test_no_tools_are_ever_offered(wire_server: WireServer) -> None:
    wire_server.script(completion("no json"), GOOD)

    await ask(wire_server)

    assert len(wire_server.requests) == 2
    for request in wire_server.requests:
        assert set(request) == {
            "model", "messages", "max_tokens", "temperature", "response_format",
        }  # fmt: skip


async def test_the_key_of_the_environment_is_not_sent(
    wire_server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    wire_server.script(GOOD)

    await ask(wire_server, key=None)

    assert "another" not in wire_server.headers[0]["authorization"]


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


async def test_an_answer_cut_off_at_its_limit_is_an_error_even_if_it_fits(
    wire_server: WireServer,
) -> None:
    wire_server.script(completion('{"text": "half", "tags": []}', finish="length"), GOOD)
    ledger = Ledger()

    with pytest.raises(LlmAnswerError, match="APP_LLM__MAX_OUTPUT_TOKENS"):
        await ask(wire_server, ledger, max_output_tokens=5)

    assert wire_server.requests[0]["max_tokens"] == 5
    assert ledger.entries == [Usage(100, 20)]


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

    assert len(wire_server.requests) == 2


async def test_a_slow_server_is_unavailable_and_what_it_may_have_computed_is_counted(
    wire_server: WireServer,
) -> None:
    wire_server.handler = lambda _: Reply(GOOD.body, delay_s=30)
    ledger = Ledger()
    started = time.monotonic()

    with pytest.raises(LlmUnavailableError, match="too long"):
        await ask(wire_server, ledger, attempts=2, timeout_s=0.3)

    assert time.monotonic() - started < 10
    assert len(ledger.entries) == 2
    assert all(usage.prompt_tokens > 0 == usage.completion_tokens for usage in ledger.entries)


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


@pytest.mark.parametrize(("known", "forms"), [("json_object", 2), (None, 3)])
async def test_a_server_without_schemas_is_told_the_form_in_words_from_then_on(
    wire_server: WireServer, known: str | None, forms: int
) -> None:
    def poor(request: Json) -> Reply:
        form = request.get("response_format", {}).get("type")
        return GOOD if form == known else failed(400, f"unknown response_format {form}")

    wire_server.handler = poor
    model = model_of(wire_server)

    for _ in range(2):
        assert await model.ask(PROMPT, Note, payer=PAYER) == Note(text="fine", tags=["a"])

    await model.aclose()
    assert len(wire_server.requests) == forms + 1
    system = wire_server.requests[-1]["messages"][0]["content"]
    assert system.startswith("You summarise.")
    assert '"additionalProperties":false' in system


async def test_names_of_parameters_are_learned_from_refusals(wire_server: WireServer) -> None:
    def picky(request: Json) -> Reply:
        if "max_tokens" in request:
            return failed(400, "Unsupported 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "temperature" in request:
            return failed(400, "Unsupported value: 'temperature' does not support 0.")
        return GOOD

    wire_server.handler = picky

    await ask(wire_server)

    assert wire_server.requests[-1]["max_completion_tokens"] == 2_048
    assert wire_server.requests[-1]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("body", [b"{}", b'{"choices": []}', b'{"choices": null}', b"[]", b"7"])
async def test_an_answer_in_another_wire_format_is_an_error(
    wire_server: WireServer, body: bytes
) -> None:
    wire_server.handler = lambda _: Reply(body)

    with pytest.raises(LlmError):
        await ask(wire_server, attempts=1)


async def test_a_server_that_counts_no_tokens_is_estimated(wire_server: WireServer) -> None:
    wire_server.script(completion('{"text": "fine", "tags": []}', tokens=None))
    ledger = Ledger()

    await ask(wire_server, ledger)

    ((read, written),) = ledger.entries
    assert 5 <= read <= 50
    assert 5 <= written <= 20


async def test_a_used_up_budget_stops_the_repair_too(wire_server: WireServer) -> None:
    wire_server.script(completion("no json"), GOOD)

    with pytest.raises(LlmBudgetExceededError):
        await ask(wire_server, Ledger(budget=120))

    assert len(wire_server.requests) == 1


async def test_metrics_count_answers_tokens_and_failures(wire_server: WireServer) -> None:
    names = ("remembrancer_llm_seconds_count", "remembrancer_llm_tokens_total")
    before = (
        count(names[0], outcome="answered"),
        count(names[0], outcome="refused"),
        count(names[1], direction="in"),
        count(names[1], direction="out"),
    )
    wire_server.script(GOOD, failed(401))

    await ask(wire_server)
    with pytest.raises(LlmRefusedError):
        await ask(wire_server)

    after = (
        count(names[0], outcome="answered"),
        count(names[0], outcome="refused"),
        count(names[1], direction="in"),
        count(names[1], direction="out"),
    )
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 100, 20]
