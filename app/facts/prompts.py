"""What a language model is asked: which facts were said.

The prompt has a version; change it together with the text. Texts stand between fences, as data.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from app.llm.gate import FENCE_RULE, fenced
from app.llm.protocol import Prompt

READ_VERSION = 1

_READ = """\
You read facts out of a conversation. A fact is a triple (subject, relation, object) that a text \
states, such as: Alice | lives in | Berlin.
- Write "I" as the name of who speaks. Where there is no name, write User.
- State only what the texts say, in their words. Leave out questions, guesses, wishes and small \
talk. Several facts of one text are fine, none too.
- "sentence": the sentence that states it, as it stands.
- "single": true if the relation holds for one object at a time, so that a newer one ends it.
- "ended": true if the text says that it holds no longer.
- "turn": the id of the one text that states it.
"""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class FactAnswer(_Answer):
    """One fact, and the turn that states it."""

    turn: int
    sentence: str = Field(max_length=1_000)
    subject: str = Field(max_length=200)
    relation: str = Field(max_length=100)
    object: str = Field(max_length=300)
    single: bool
    ended: bool


class ReadAnswer(_Answer):
    """The facts of some turns."""

    facts: list[FactAnswer]


def read(turns: Sequence[tuple[int, str]]) -> Prompt:
    """Ask for the facts of turns, given as number and bare turn."""
    shown = fenced((str(number), text) for number, text in turns)
    return Prompt("facts.read", READ_VERSION, _READ + FENCE_RULE, shown)
