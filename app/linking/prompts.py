"""What a language model is asked about notes, and the form of its answers."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from app.kit.text import clean
from app.llm.gate import FENCE_RULE, fenced
from app.llm.protocol import Prompt

NOTE_VERSION = 1
EVOLUTION_VERSION = 1

_NOTE = """\
You keep an index of somebody's memories. For the memory you are shown, write:
- keywords: at least three words or short phrases that tell it from others, most important first; \
no names of speakers, no dates or times;
- context: one sentence that says what it is about, its key points and its purpose;
- tags: at least three broad categories (domain, form, kind) for finding it again.
Write in the language of the memory. """

_EVOLUTION = """\
You keep an index of somebody's memories. A new memory came; you are shown it and the memories \
nearest to it, each with its note. Decide whether the index should evolve:
- should_evolve: whether anything below is worth doing;
- actions: `strengthen` to link the new memory to some of the others, `update_neighbor` to improve \
the notes of the others, or both;
- suggested_connections: for `strengthen`: the id of each memory to link the new one to, and a \
short reason;
- tags_to_update: for `strengthen`: the tags the new memory should have;
- new_context_neighborhood: for `update_neighbor`: one context sentence for each of the others, in \
the order shown; repeat it where it should stay;
- new_tags_neighborhood: for `update_neighbor`: the tags of each of the others, in the order shown.
Write in the language of the memories. """

Line = Annotated[str, AfterValidator(clean), Field(max_length=600)]
Word = Annotated[str, AfterValidator(clean), Field(min_length=1, max_length=80)]


class NoteAnswer(BaseModel):
    """What is noted of a memory."""

    keywords: Annotated[list[Word], Field(min_length=1, max_length=12)]
    context: Annotated[Line, Field(min_length=1)]
    tags: Annotated[list[Word], Field(min_length=1, max_length=12)]


class Connection(BaseModel):
    """A memory that the new one should be linked to."""

    id: Annotated[int, Field(description="Its id, as shown.")]
    reason: Line


class EvolutionAnswer(BaseModel):
    """How the index should evolve because of a new memory."""

    neighbours: ClassVar[int] = 0
    """How many memories were shown besides the new one."""

    should_evolve: bool
    actions: list[Literal["strengthen", "update_neighbor"]]
    suggested_connections: list[Connection]
    tags_to_update: list[Word]
    new_context_neighborhood: list[Line]
    new_tags_neighborhood: list[list[Word]]

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        """Refuse contexts or tags that cannot be told which neighbour they are for."""
        if self.should_evolve and "update_neighbor" in self.actions:
            counts = {len(self.new_context_neighborhood), len(self.new_tags_neighborhood)}
            if counts != {self.neighbours}:
                msg = f"contexts and tags must be given for each of the {self.neighbours} others"
                raise ValueError(msg)
        return self


@cache
def evolution_answer(neighbours: int) -> type[EvolutionAnswer]:
    """Return the form of an answer about so many neighbours."""

    class Answer(EvolutionAnswer):
        pass

    Answer.__name__ = EvolutionAnswer.__name__
    Answer.__doc__ = EvolutionAnswer.__doc__
    Answer.neighbours = neighbours
    return Answer


class Shown(NamedTuple):
    """A memory and its note, as a model reads them."""

    ordinal: int
    said: str
    keywords: Sequence[str]
    tags: Sequence[str]
    context: str

    def text(self) -> str:
        """Return what stands between the marks."""
        return "\n".join((
            self.said,
            "keywords: " + ", ".join(self.keywords),
            "tags: " + ", ".join(self.tags),
            "context: " + self.context,
        ))  # fmt: skip


def note(said: str) -> Prompt:
    """Ask for the note of a memory."""
    return Prompt("linking.note", NOTE_VERSION, _NOTE + FENCE_RULE, fenced([("memory", said)]))


def evolution(new: Shown, neighbours: Sequence[Shown]) -> Prompt:
    """Ask how the notes should evolve because of a new memory."""
    user = "\n".join((
        "The new memory:",
        fenced([("new", new.text())]),
        f"The {len(neighbours)} memories nearest to it, nearest first:",
        fenced([(str(one.ordinal), one.text()) for one in neighbours]),
    ))  # fmt: skip
    return Prompt("linking.evolution", EVOLUTION_VERSION, _EVOLUTION + FENCE_RULE, user)
