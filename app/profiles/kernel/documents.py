"""A profile as a document: every text in it knows the memories it was made of. Pure.

Source: Second Me (AI-native Memory 2.0), arXiv:2503.08102: shades, timelines, biography in third
and second person; MemoryBank, arXiv:2305.10250: portrait and global summary.
Deviation: texts that no language model wrote are not stored but rendered from counts, terms and
quotations, so that they cannot contradict them. The biography names every shade; an occupation is
never inferred.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from app.profiles.kernel.extracts import Term

CONFIDENCE = {5: "very high", 4: "high", 3: "medium", 2: "low", 1: "very low"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a summary, and the ordinals of the memories it was made of."""

    text: str
    sources: tuple[int, ...]
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry of a timeline: the first sentence of one verbatim memory."""

    at: datetime
    text: str
    memory_id: str
    source: int


@dataclass(frozen=True, slots=True)
class Wording:
    """What a language model wrote of a shade."""

    name: str
    aspect: str | None
    icon: str | None
    description: str
    content: str
    description_second: str
    content_second: str
    generated_by: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shade:
    """One side of a person: a topic its memories keep coming back to."""

    id: str
    size: int
    first_at: datetime
    last_at: datetime
    terms: tuple[Term, ...]
    quotes: tuple[Line, ...]
    timeline: tuple[Moment, ...]
    confidence: int = 1
    merged_from: tuple[str, ...] = ()
    wording: Wording | None = None


@dataclass(frozen=True, slots=True)
class Biography:
    """What a language model wrote of all shades."""

    third: str
    second: str
    generated_by: str
    sources: tuple[int, ...]
    is_current: bool = True
    """False: of the shades as they were before, as the model failed on what they are now."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """What can be counted about a person; traits only from a language model."""

    keywords: tuple[Term, ...] = ()
    names: tuple[Term, ...] = ()
    hours: tuple[int, ...] = (0,) * 24
    days: int = 0
    traits: Line | None = None
    mood: Line | None = None
    strategy: Line | None = None
    generated_by: str = "deterministic:counts"


@dataclass(frozen=True, slots=True)
class Profile:
    """A version of a profile."""

    shades: tuple[Shade, ...] = ()
    portrait: Portrait = Portrait()
    summary: tuple[Line, ...] = ()
    summary_by: str = "deterministic:extract"
    status: tuple[Line, ...] = ()
    biography: Biography | None = None
    basis: str = ""
    """Names the days that a language model's summary was made of."""


def name_of(shade: Shade) -> str:
    """Return the shade's name: its three best terms, unless a language model named it."""
    if shade.wording is not None:
        return shade.wording.name
    return ", ".join(term.text for term in shade.terms[:3]) or "untitled"


def times_of(shade: Shade) -> str:
    """Return in words how many memories a shade stands on."""
    return f"{shade.size} memories" if shade.size != 1 else "1 memory"


def description_of(shade: Shade, *, second: bool = False) -> str:
    """Return one sentence about the shade, in the third or the second person."""
    if shade.wording is not None:
        return shade.wording.description_second if second else shade.wording.description
    times = times_of(shade)
    first, last = f"{shade.first_at:%Y-%m-%d}", f"{shade.last_at:%Y-%m-%d}"
    span = f"on {first}" if first == last else f"from {first} to {last}"
    about = ", ".join(term.text for term in shade.terms) or "various things"
    opening = "You spoke of this in" if second else "Spoken of in"
    return f"{opening} {times} {span}: {about}."


def content_of(shade: Shade, *, second: bool = False) -> str:
    """Return the details of a shade: its most central sentences, word for word."""
    if shade.wording is not None:
        return shade.wording.content_second if second else shade.wording.content
    quotes = "\n".join(f"- {line.text}" for line in shade.quotes)
    return f"You said:\n{quotes}" if second and quotes else quotes


def biography_of(profile: Profile, *, second: bool = False) -> str:
    """Return the biography: the shades by size with their confidence, unless a model wrote it."""
    if profile.biography is not None:
        return profile.biography.second if second else profile.biography.third
    if not profile.shades:
        return ""
    opening = "You speak most of" if second else "Speaks most of"
    sides = "; ".join(
        f"{name_of(shade)} ({times_of(shade)}, {CONFIDENCE[shade.confidence]} confidence)"
        for shade in profile.shades
    )
    return f"{opening}: {sides}."


def sources_of_shade(shade: Shade) -> set[int]:
    """Return the ordinals that any text of a shade was made of."""
    found = {source for term in shade.terms for source in term.sources}
    found |= {source for line in shade.quotes for source in line.sources}
    found |= {moment.source for moment in shade.timeline}
    return found | set(shade.wording.sources if shade.wording else ())


def sources_of_portrait(portrait: Portrait) -> set[int]:
    """Return the ordinals that any text of a portrait was made of."""
    found = {s for term in (*portrait.keywords, *portrait.names) for s in term.sources}
    written = (portrait.traits, portrait.mood, portrait.strategy)
    return found | {source for line in written if line for source in line.sources}


def sources_of(profile: Profile) -> list[int]:
    """Return the ordinals that any text of a profile was made of, ascending."""
    found = sources_of_portrait(profile.portrait)
    for shade in profile.shades:
        found |= sources_of_shade(shade)
    for line in (*profile.summary, *profile.status):
        found |= set(line.sources)
    found |= set(profile.biography.sources if profile.biography else ())
    return sorted(found)


Loses = Callable[[Collection[int]], bool]
"""Whether a text goes, by the ordinals of the memories it was made of."""


def erasing(gone: Collection[int]) -> Loses:
    """Let every text go that an erased memory had a part in: it may hold its words."""
    return lambda sources: any(source in gone for source in sources)


def hiding(hidden: Collection[int]) -> Loses:
    """Let a text go when each memory it was made of is archived; one that is live bears it out."""
    return lambda sources: bool(sources) and all(source in hidden for source in sources)


def without(profile: Profile, gone: Collection[int], loses: Loses) -> Profile:
    """Return the profile without what was made of memories that are gone."""
    shades = tuple(shade_without(shade, gone, loses) for shade in profile.shades)
    written = profile.biography
    return replace(
        profile,
        shades=tuple(shade for shade in shades if shade is not None),
        portrait=portrait_without(profile.portrait, gone, loses),
        summary=lines_without(profile.summary, loses),
        status=lines_without(profile.status, loses),
        biography=None if written is None or loses(written.sources) else written,
    )


def shade_without(shade: Shade, gone: Collection[int], loses: Loses) -> Shade | None:
    """Return the shade without the memories; ``None`` when nothing is left to tell."""
    timeline = tuple(moment for moment in shade.timeline if moment.source not in gone)
    if not timeline:
        return None
    wording = shade.wording
    return replace(
        shade,
        size=max(len(timeline), shade.size - (len(shade.timeline) - len(timeline))),
        terms=terms_without(shade.terms, gone),
        quotes=lines_without(shade.quotes, loses),
        timeline=timeline,
        wording=None if wording is None or loses(wording.sources) else wording,
    )


def portrait_without(portrait: Portrait, gone: Collection[int], loses: Loses) -> Portrait:
    """Return the portrait without the memories."""
    return replace(
        portrait,
        keywords=terms_without(portrait.keywords, gone),
        names=terms_without(portrait.names, gone),
        traits=_line_without(portrait.traits, loses),
        mood=_line_without(portrait.mood, loses),
        strategy=_line_without(portrait.strategy, loses),
    )


def terms_without(terms: Sequence[Term], gone: Collection[int]) -> tuple[Term, ...]:
    """Return the terms that another memory holds too."""
    kept = []
    for term in terms:
        left = tuple(source for source in term.sources if source not in gone)
        if left:
            count = max(len(left), term.count - (len(term.sources) - len(left)))
            kept.append(Term(term.text, count, left))
    return tuple(kept)


def lines_without(lines: Sequence[Line], loses: Loses) -> tuple[Line, ...]:
    """Return the lines that stay."""
    return tuple(line for line in lines if not loses(line.sources))


def _line_without(line: Line | None, loses: Loses) -> Line | None:
    return None if line is None or loses(line.sources) else line


def spread(moments: Sequence[Moment], most: int) -> tuple[Moment, ...]:
    """Return at most ``most`` entries by time, the first and the last among them."""
    ordered = sorted(moments, key=lambda moment: (moment.at, moment.source))
    if len(ordered) <= most:
        return tuple(ordered)
    step = (len(ordered) - 1) / (most - 1)
    return tuple(ordered[round(i * step)] for i in range(most))
