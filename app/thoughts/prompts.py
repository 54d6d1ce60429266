"""What a language model is asked: to think of what was said, and to keep a bucket in order.

Every prompt has a version; change it together with the text. Texts of memories stand between
fences, as data.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from app.llm.gate import FENCE_RULE, fenced
from app.llm.protocol import Prompt
from app.thoughts.kernel.organising import Member

THINK_VERSION = 1
ORGANISE_VERSION = 1

_THINK = """\
You turn a conversation into inductive thoughts: short statements that will matter later.
A thought is one sentence in the third person that carries one relation triple (head, relation, \
tail), such as: Alice lives in Berlin. (Alice | lives in | Berlin)
- Write "I" as the name of who speaks. Where there is no name, write User.
- State only what the texts say. Keep their language.
- Leave out questions, greetings and small talk. Several thoughts of one text are fine, none too.
- In "turn", give the id of the one text that a thought is made of.
"""

_ORGANISE = """\
You keep a memory in order. The texts are thoughts that lie in the same place of it.
- forget: where a newer thought contradicts an older one, name the older one in "id" and the newer \
one in "because".
- merge: where several thoughts of the same head say the same, or belong in one sentence (several \
jobs of one person), name them in "ids" and write one sentence that says all they say, with its \
head, relation and tails.
Name only ids of the texts, each once at most. Change nothing else: two empty lists are a fine \
answer. Later dates are newer.
"""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ThoughtAnswer(_Answer):
    """One thought, and the turn it is made of."""

    turn: int
    text: str = Field(max_length=500)
    head: str = Field(max_length=200)
    relation: str = Field(max_length=200)
    tail: str = Field(max_length=300)


class ThinkAnswer(_Answer):
    """What a model thinks of some turns."""

    thoughts: list[ThoughtAnswer]


class ForgetAnswer(_Answer):
    """A thought that a newer one contradicts."""

    id: int
    because: int


class MergeAnswer(_Answer):
    """Thoughts that become one."""

    ids: list[int]
    text: str = Field(max_length=1_000)
    head: str = Field(max_length=200)
    relation: str = Field(max_length=200)
    tails: list[str]


class OrganiseAnswer(_Answer):
    """What a model would do with a bucket."""

    forget: list[ForgetAnswer]
    merge: list[MergeAnswer]


def think(turns: Sequence[tuple[int, str]]) -> Prompt:
    """Ask for the thoughts of turns, given as number and bare turn."""
    shown = fenced((str(number), text) for number, text in turns)
    return Prompt("thoughts.think", THINK_VERSION, _THINK + FENCE_RULE, shown)


def organise(members: Sequence[Member]) -> Prompt:
    """Ask what becomes of the thoughts of a bucket."""
    shown = fenced((str(one.ordinal), f"{one.valid_from:%Y-%m-%d} {one.text}") for one in members)
    return Prompt("thoughts.organise", ORGANISE_VERSION, _ORGANISE + FENCE_RULE, shown)
