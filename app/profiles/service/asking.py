"""What a language model adds, held to its sources: what no source bears out is not kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from app.kit.logging import get_logger
from app.llm.gate import Gate
from app.llm.protocol import LanguageModel
from app.llm.service import postponing
from app.memories import service as memories
from app.memories.kernel import in_zone
from app.memories.models import Memory
from app.profiles import prompts
from app.profiles.kernel import documents
from app.profiles.kernel.documents import Biography, Line, Portrait, Profile, Shade, Wording
from app.profiles.prompts import (
    BiographyAnswer,
    CitedLine,
    DayPortraitAnswer,
    DaySummaryAnswer,
    MergeAnswer,
    PortraitAnswer,
    ShadeAnswer,
    SummaryAnswer,
)
from app.profiles.service.scopes import Subject

MOST_SHOWN = 60
"""Memories that a model is shown at a time."""
_LONGEST = 600
_MOST_LINES = 120

log = get_logger("profiles")


@dataclass(frozen=True, slots=True)
class WrittenDay:
    """What a model wrote of a day; lines may be missing where the gate kept none."""

    lines: list[Line]
    traits: Line | None
    mood: Line | None
    strategy: Line | None
    generated_by: str


class Sheet:
    """Memories as they are shown to a model, and what its answer is held to."""

    def __init__(
        self, whose: Subject, held: Sequence[Memory], *, further: Sequence[str] = ()
    ) -> None:
        step = max(1.0, len(held) / MOST_SHOWN)
        self.held = [held[int(i * step)] for i in range(min(len(held), MOST_SHOWN))]
        zone = ZoneInfo(whose.local.time_zone)
        texts = [_shown(memory, zone) for memory in self.held]
        self.shown = [(str(i), text) for i, text in enumerate(texts, 1)]
        self.sources = tuple(memory.ordinal for memory in self.held)
        self.gate = Gate([*texts, *further], language=whose.local.text_search_config)

    def cited(self, line: CitedLine) -> tuple[int, ...]:
        """Return the memories that a line names; all that were shown if it names none of them."""
        found = tuple(
            self.sources[number - 1] for number in line.sources if 0 < number <= len(self.sources)
        )
        return found or self.sources

    def kept(self, text: str, what: str) -> str:
        """Return what the sources bear out of a text."""
        return _kept(self.gate, text, what)


def _kept(gate: Gate, text: str, what: str) -> str:
    gated = gate.supported(text)
    if gated.dropped:
        log.warning("dropped what no source bears out", what=what, sentences=len(gated.dropped))
    return gated.text


def _shown(memory: Memory, zone: ZoneInfo) -> str:
    spoken = memories.spoken(memory.content[:_LONGEST], memory.name or memory.role)
    return f"{in_zone(memory.occurred_at, zone):%Y-%m-%d} {spoken}"


def _by(llm: LanguageModel) -> str:
    return f"llm:{llm.model}"


async def day(whose: Subject, llm: LanguageModel, when: date, held: Sequence[Memory]) -> WrittenDay:
    """Return a day's summary and portrait in a model's words."""
    sheet = Sheet(whose, held)
    prompt = prompts.day_summary(when.isoformat(), sheet.shown)
    with postponing():
        answer = await llm.ask(prompt, DaySummaryAnswer, payer=whose.payer)
    kept = [(sheet.kept(line.text, "day"), sheet.cited(line)) for line in answer.lines]
    prompt = prompts.day_portrait(when.isoformat(), sheet.shown)
    with postponing():
        shown = await llm.ask(prompt, DayPortraitAnswer, payer=whose.payer)
    return WrittenDay(
        lines=[Line(text, cited, when) for text, cited in kept if text],
        traits=_line(sheet, shown.traits),
        mood=_line(sheet, shown.mood),
        strategy=_line(sheet, shown.strategy),
        generated_by=_by(llm),
    )


def _line(sheet: Sheet, text: str) -> Line | None:
    kept = sheet.kept(text, "portrait")
    return Line(kept, sheet.sources) if kept else None


async def wording(
    whose: Subject,
    llm: LanguageModel,
    held: Sequence[Memory],
    before: Sequence[Shade],
) -> Wording | None:
    """Return a shade in a model's words; ``None`` where no source bears them out.

    Without shades before it this is the paper's *initial*, with one *improve*, with several
    *merge*. Earlier wordings were held to their sources when they were written.
    """
    worded = [one.wording for one in before if one.wording is not None]
    sheet = Sheet(whose, held, further=[_worded(one) for one in worded])
    if not worded:
        prompt = prompts.shade(sheet.shown)
    elif len(worded) == 1:
        prompt = prompts.improved_shade(_worded(worded[0]), sheet.shown)
    else:
        shown = [(f"topic {i}", _worded(one)) for i, one in enumerate(worded, 1)]
        prompt = prompts.merged_shade(shown, sheet.shown)
    with postponing():
        answer = await llm.ask(prompt, ShadeAnswer, payer=whose.payer)
    sources = {s for one in worded for s in one.sources} | set(sheet.sources)
    found = Wording(
        name=sheet.kept(answer.name, "shade"),
        aspect=sheet.kept(answer.aspect, "shade") or None,
        icon=answer.icon.strip()[:8] or None,
        description=sheet.kept(answer.description, "shade"),
        content=sheet.kept(answer.content, "shade"),
        description_second=sheet.kept(answer.description_second_person, "shade"),
        content_second=sheet.kept(answer.content_second_person, "shade"),
        generated_by=_by(llm),
        sources=tuple(sorted(sources)),
    )
    return found if found.name and found.description and found.description_second else None


def _worded(one: Wording) -> str:
    return f"{one.name} ({one.aspect}): {one.description}\n{one.content}"


async def same_shades(
    whose: Subject, llm: LanguageModel, shades: Sequence[Shade]
) -> list[list[int]]:
    """Return groups of places in ``shades`` that a model holds to be the same; each place once."""
    shown = [
        (str(i), f"{documents.name_of(one)}: {documents.description_of(one)}")
        for i, one in enumerate(shades, 1)
    ]
    with postponing():
        answer = await llm.ask(prompts.merges(shown), MergeAnswer, payer=whose.payer)
    taken: set[int] = set()
    found = []
    for group in answer.groups:
        places = [n - 1 for n in dict.fromkeys(group) if 0 < n <= len(shades)]
        places = [place for place in places if place not in taken]
        if len(places) > 1:
            taken.update(places)
            found.append(places)
    return found


async def biography(
    whose: Subject, llm: LanguageModel, shades: Sequence[Shade]
) -> Biography | None:
    """Return a biography of all shades in a model's words."""
    texts = [_told(shade) for shade in shades]
    shown = [(str(i), text) for i, text in enumerate(texts, 1)]
    with postponing():
        answer = await llm.ask(prompts.biography(shown), BiographyAnswer, payer=whose.payer)
    gate = Gate(texts, language=whose.local.text_search_config)
    third = _kept(gate, answer.third_person, "biography")
    second = _kept(gate, answer.second_person, "biography")
    if not third or not second:
        return None
    sources = {source for shade in shades for source in documents.sources_of_shade(shade)}
    return Biography(third, second, _by(llm), tuple(sorted(sources)))


def _told(shade: Shade) -> str:
    name, confidence = documents.name_of(shade), documents.CONFIDENCE[shade.confidence]
    return (
        f"{name} ({documents.times_of(shade)}, {confidence} confidence)\n"
        f"{documents.description_of(shade)}\n{documents.content_of(shade)}"
    )


async def summary(whose: Subject, llm: LanguageModel, lines: Sequence[Line]) -> list[Line]:
    """Return the core of many days' lines in a model's words."""
    held = list(lines)[-_MOST_LINES:]
    texts = [f"{line.day} {line.text}" for line in held]
    shown = [(str(i), text) for i, text in enumerate(texts, 1)]
    with postponing():
        answer = await llm.ask(prompts.summary(shown), SummaryAnswer, payer=whose.payer)
    gate = Gate(texts, language=whose.local.text_search_config)
    found = []
    for line in answer.lines:
        text = _kept(gate, line.text, "summary")
        cited = [held[n - 1] for n in line.sources if 0 < n <= len(held)] or held
        if text:
            found.append(
                Line(text, _joined(cited), max((c.day for c in cited if c.day), default=None))
            )
    return found


def _joined(lines: Sequence[Line]) -> tuple[int, ...]:
    return tuple(sorted({source for line in lines for source in line.sources}))


async def portrait(
    whose: Subject, llm: LanguageModel, each: Mapping[date, Portrait]
) -> dict[str, Line | None]:
    """Return traits, mood and strategy out of those of many days."""
    noted = {when: _noted(one) for when, one in each.items()}
    shown = [(when.isoformat(), text) for when, text in noted.items() if text][-_MOST_LINES:]
    if not shown:
        return {}
    with postponing():
        answer = await llm.ask(prompts.portrait(shown), PortraitAnswer, payer=whose.payer)
    gate = Gate(
        [f"{label} {text}" for label, text in shown], language=whose.local.text_search_config
    )
    written = (line for one in each.values() for line in (one.traits, one.mood, one.strategy))
    sources = _joined([line for line in written if line])
    kept = {
        name: _kept(gate, getattr(answer, name), "portrait")
        for name in ("traits", "mood", "strategy")
    }
    return {name: Line(text, sources) if text else None for name, text in kept.items()}


def _noted(one: Portrait) -> str:
    lines = (one.traits, one.mood, one.strategy)
    return "\n".join(line.text for line in lines if line is not None)


def is_written(profile: Profile) -> bool:
    """Tell whether a model wrote any part of a profile."""
    return profile.biography is not None or any(shade.wording for shade in profile.shades)
