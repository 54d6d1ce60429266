"""Examples for those who train a model of their own on a profile. Training is not done here."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.profiles.schemas import (
    DayRead,
    ProfileRead,
    ShadeRead,
    TrainingExample,
    TrainingMessage,
)
from app.profiles.service.reading import list_days, read_profile
from app.tenants.schemas import Scope

_MOST_DAYS = 10_000
_SYSTEM = "You are the memory of one person. Answer from what they said."


async def export_sft(session: AsyncSession, scope: Scope) -> str:
    """Return a profile and the summaries of its days as examples, one JSON object a line."""
    profile = await read_profile(session, scope)
    days = await list_days(session, scope, since=None, until=None, after=None, limit=_MOST_DAYS)
    examples = [*_of_profile(profile), *(one for day in days for one in _of_day(day))]
    return "".join(example.model_dump_json() + "\n" for example in examples)


def _of_profile(profile: ProfileRead) -> Iterator[TrainingExample]:
    written = profile.biography
    sources = [source for shade in profile.shades for source in shade.source_ids]
    if written.second_person:
        yield _example("Who am I?", written.second_person, sources, written.generated_by)
    for shade in profile.shades:
        yield from _of_shade(shade)


def _of_shade(shade: ShadeRead) -> Iterator[TrainingExample]:
    if shade.content_second_person:
        question = f"What do you remember about me and {shade.name}?"
        yield _example(question, shade.content_second_person, shade.source_ids, shade.generated_by)
    for moment in shade.timeline:
        question = f"What did I say about {shade.name} on {moment.at:%Y-%m-%d}?"
        yield _example(question, moment.text, [moment.memory_id], "deterministic:verbatim")


def _of_day(day: DayRead) -> Iterator[TrainingExample]:
    if day.lines:
        text = "\n".join(f"- {line.text}" for line in day.lines)
        sources = list(dict.fromkeys(s for line in day.lines for s in line.source_ids))
        yield _example(f"What happened on {day.day}?", text, sources, day.generated_by)


def _example(question: str, answer: str, sources: list[UUID], generated_by: str) -> TrainingExample:
    return TrainingExample(
        messages=[
            TrainingMessage(role="system", content=_SYSTEM),
            TrainingMessage(role="user", content=question),
            TrainingMessage(role="assistant", content=answer),
        ],
        source_ids=sources,
        generated_by=generated_by,
    )
