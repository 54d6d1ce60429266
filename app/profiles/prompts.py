"""What language models are asked about days, shades and people. Memories are data, never orders."""

from collections.abc import Iterable

from pydantic import BaseModel, Field

from app.llm import gate
from app.llm.protocol import Prompt

Shown = Iterable[tuple[str, str]]
"""Label and text of each source."""


class CitedLine(BaseModel):
    """A line and the numbers of the sources it stands on."""

    text: str
    sources: list[int]


class DaySummaryAnswer(BaseModel):
    """A day in a few lines."""

    lines: list[CitedLine] = Field(max_length=12)


class DayPortraitAnswer(BaseModel):
    """What a day shows of a person."""

    traits: str
    mood: str
    strategy: str


class PortraitAnswer(BaseModel):
    """What many days show of a person."""

    traits: str
    mood: str
    strategy: str


class SummaryAnswer(BaseModel):
    """Many days in a few lines."""

    lines: list[CitedLine] = Field(max_length=20)


class ShadeAnswer(BaseModel):
    """One topic of a person, in the third and in the second person."""

    name: str
    aspect: str
    icon: str
    description: str
    content: str
    description_second_person: str
    content_second_person: str


class MergeAnswer(BaseModel):
    """Which shades are one and the same."""

    groups: list[list[int]]


class BiographyAnswer(BaseModel):
    """A person in a few sentences, in the third and in the second person."""

    third_person: str
    second_person: str


def day_summary(day: str, sources: Shown) -> Prompt:
    """Ask for the shortest summary of a day: themes and key facts, separate things apart."""
    return Prompt(
        name="profiles.day_summary",
        version=1,
        system=(
            "You condense what was said on one day into at most five short lines: the themes and "
            "the key facts, one thing a line, in the language of the sources. For each line name "
            "the numbers of the sources it stands on. " + gate.FENCE_RULE
        ),
        user=f"The day is {day}.\n{gate.fenced(sources)}",
    )


def day_portrait(day: str, sources: Shown) -> Prompt:
    """Ask for traits and mood as they show on a day, and how to answer such a person."""
    return Prompt(
        name="profiles.day_portrait",
        version=1,
        system=(
            "You say what the messages of one day show of the person who wrote them: traits, mood, "
            "and how an assistant may best answer. One or two sentences each, only what the "
            "sources show; leave empty what they do not show. " + gate.FENCE_RULE
        ),
        user=f"The day is {day}.\n{gate.fenced(sources)}",
    )


def summary(sources: Shown) -> Prompt:
    """Ask for the core of the summaries of many days."""
    return Prompt(
        name="profiles.summary",
        version=1,
        system=(
            "You condense the summaries of many days to their core: at most ten short lines, what "
            "lasts before what passes, in the language of the sources. For each line name the "
            "numbers of the sources it stands on. " + gate.FENCE_RULE
        ),
        user=gate.fenced(sources),
    )


def portrait(sources: Shown) -> Prompt:
    """Ask for one portrait out of those of many days."""
    return Prompt(
        name="profiles.portrait",
        version=1,
        system=(
            "You condense what was noted of a person on many days to one portrait: lasting traits, "
            "the usual mood, and one strategy for answering. Two sentences each at most; leave "
            "empty what the sources do not show. " + gate.FENCE_RULE
        ),
        user=gate.fenced(sources),
    )


_SHADE = (
    "You describe one topic of a person's life. `name`: the topic in one to four words. `aspect`: "
    "the role the person has in it, in one to three words. `icon`: one emoji. `description`: one "
    "sentence about the topic. `content`: the details, in at most five sentences. Then description "
    "and content once more, addressed to the person as `you`. Write in the language of the "
    "sources. Infer no occupation, age, origin, health or belief that no source states. "
)


def shade(sources: Shown) -> Prompt:
    """Ask for a shade of memories that belong together."""
    return Prompt(
        name="profiles.shade",
        version=1,
        system=_SHADE + gate.FENCE_RULE,
        user="The memories of the topic:\n" + gate.fenced(sources),
    )


def improved_shade(before: str, sources: Shown) -> Prompt:
    """Ask for a shade as it is with further memories."""
    return Prompt(
        name="profiles.improved_shade",
        version=1,
        system=_SHADE
        + "You are shown how the topic was described before, and memories that came since. Keep "
        "what still holds, add what is new. " + gate.FENCE_RULE,
        user=gate.fenced([("before", before)])
        + "\nThe new memories of the topic:\n"
        + gate.fenced(sources),
    )


def merged_shade(before: Shown, sources: Shown) -> Prompt:
    """Ask for one shade out of several that turned out to be the same."""
    return Prompt(
        name="profiles.merged_shade",
        version=1,
        system=_SHADE
        + "You are shown descriptions of topics that turned out to be one, and some of their "
        "memories. Write one description of the whole. " + gate.FENCE_RULE,
        user=gate.fenced(before) + "\nMemories of the topic:\n" + gate.fenced(sources),
    )


def merges(sources: Shown) -> Prompt:
    """Ask which shades are one and the same."""
    return Prompt(
        name="profiles.merges",
        version=1,
        system=(
            "You are shown the topics of one person, numbered. Name the groups of topics that are "
            "one and the same; each number stands in one group at most, a group has two or more. "
            "Topics that are merely related stay apart: name no groups when in doubt. "
            + gate.FENCE_RULE
        ),
        user=gate.fenced(sources),
    )


def biography(sources: Shown) -> Prompt:
    """Ask for a biography out of all shades."""
    return Prompt(
        name="profiles.biography",
        version=1,
        system=(
            "You write a short biography, under 200 words, out of the topics of a person's life: "
            "what occupies them and how much, the largest first. Then the same addressed to the "
            "person as `you`. Infer no occupation, age, origin, health or belief that no source "
            "states. " + gate.FENCE_RULE
        ),
        user=gate.fenced(sources),
    )
