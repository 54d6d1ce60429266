"""What every language model keeps: one suite for the scripted one and for the real one."""

import json
from collections.abc import Callable
from uuid import UUID

import pytest
from pydantic import BaseModel

from app.llm.client import OpenAiModel
from app.llm.errors import LlmAnswerError
from app.llm.fake import ScriptedModel
from app.llm.protocol import LanguageModel, Payer, Prompt, Usage
from tests.llm.server import WireServer, completion

PAYER = Payer(UUID(int=7), 3)
PROMPT = Prompt("test.note", 1, "You summarise.", "A text.")


class Note(BaseModel):
    """What the tests ask for."""

    text: str


class Free:
    """Accounts that nobody reads."""

    async def check(self, payer: Payer) -> None:
        """Allow everything."""

    async def record(self, payer: Payer, usage: Usage) -> None:
        """Forget it."""


Make = Callable[..., LanguageModel]


@pytest.fixture(params=["scripted", "real"])
def make(request: pytest.FixtureRequest, wire_server: WireServer) -> Make:
    """Return a model that writes the given texts; the real one is not repaired."""

    def made(*texts: str) -> LanguageModel:
        if request.param == "scripted":
            return ScriptedModel(texts, model="wire")
        wire_server.script(*(completion(text) for text in texts for _ in range(2)))
        return OpenAiModel(wire_server.settings(), Free())

    return made


async def test_an_answer_is_an_instance_of_its_form(make: Make) -> None:
    model = make('{"text": "fine"}')

    assert await model.ask(PROMPT, Note, payer=PAYER) == Note(text="fine")
    assert model.model == "wire"
    await model.aclose()


@pytest.mark.parametrize("text", ["no json", "{}", '{"text": 7}'])
async def test_an_answer_out_of_form_is_an_error(make: Make, text: str) -> None:
    model = make(text)

    with pytest.raises(LlmAnswerError, match="Note"):
        await model.ask(PROMPT, Note, payer=PAYER)

    await model.aclose()


async def test_a_script_answers_in_order_and_remembers_what_it_was_asked() -> None:
    model = ScriptedModel([Note(text="a"), {"text": "b"}, OSError("c")])

    assert (await model.ask(PROMPT, Note, payer=PAYER)).text == "a"
    assert (await model.ask(PROMPT, Note, payer=PAYER)).text == "b"
    with pytest.raises(OSError, match="c"):
        await model.ask(PROMPT, Note, payer=PAYER)
    with pytest.raises(LlmAnswerError, match=r"no answer left for test\.note"):
        await model.ask(PROMPT, Note, payer=PAYER)
    assert model.asked == [PROMPT] * 4
    assert model.payers == [PAYER] * 4


async def test_a_script_may_answer_by_what_is_asked() -> None:
    model = ScriptedModel(lambda prompt: json.dumps({"text": prompt.user}))

    assert (await model.ask(PROMPT, Note, payer=PAYER)).text == "A text."
