"""A language model that says what a test tells it to say, through the same door as the real one."""

import json
from collections.abc import Callable, Sequence

from pydantic import BaseModel

from app.llm import schemas
from app.llm.errors import LlmAnswerError
from app.llm.protocol import Answer, Payer, Prompt

Scripted = BaseModel | dict[str, object] | str | Exception
"""An answer, its members, its raw text, or what is raised instead."""
Script = Sequence[Scripted] | Callable[[Prompt], Scripted]
"""Answers in order, or by what is asked."""


class ScriptedModel:
    """Gives scripted answers; remembers what it was asked, and by whom."""

    def __init__(self, answers: Script, *, model: str = "scripted") -> None:
        self.model = model
        self.asked: list[Prompt] = []
        self.payers: list[Payer] = []
        self._answers = answers

    async def ask(self, prompt: Prompt, answer: type[Answer], *, payer: Payer) -> Answer:
        """Return the next scripted answer, held to its form like a real one."""
        self.asked.append(prompt)
        self.payers.append(payer)
        scripted = self._next(prompt)
        if isinstance(scripted, Exception):
            raise scripted
        if isinstance(scripted, BaseModel):
            scripted = scripted.model_dump(mode="json")
        text = scripted if isinstance(scripted, str) else json.dumps(scripted, default=str)
        return schemas.read(text, answer)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _next(self, prompt: Prompt) -> Scripted:
        if callable(self._answers):
            return self._answers(prompt)
        place = len(self.asked) - 1
        if place >= len(self._answers):
            msg = f"The script has no answer left for {prompt.name}."
            raise LlmAnswerError(msg)
        return self._answers[place]
