"""The real client against a real server: what it sends, learns and counts."""

import pytest

from app.kit import metrics
from app.llm.errors import LlmRefusedError
from app.llm.protocol import Usage
from tests.llm.client import GOOD, PAYER, PROMPT, Ledger, Note, ask, model_of
from tests.llm.server import Json, Reply, WireServer, completion, failed


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


async def test_a_server_that_counts_no_tokens_is_estimated(wire_server: WireServer) -> None:
    wire_server.script(completion('{"text": "fine", "tags": []}', tokens=None))
    ledger = Ledger()

    await ask(wire_server, ledger)

    ((read, written),) = ledger.entries
    assert 5 <= read <= 50
    assert 5 <= written <= 20


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
