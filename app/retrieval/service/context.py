"""Text ready for a prompt: recent turns and recalled memories within a budget."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.errors import EmbedderError
from app.embeddings.kernel import estimate_tokens
from app.episodes import service as episodes
from app.forgetting.service import Reinforcer
from app.kit.database import Database
from app.memories import service as memories
from app.memories.kernel import in_zone
from app.memories.models import Memory
from app.memories.service import Spaces
from app.profiles import service as profiles
from app.retrieval.kernel import context as kernel
from app.retrieval.kernel.context import Line, ProfileLine
from app.retrieval.repository import questions
from app.retrieval.schemas import ContextResponse, ContextSection
from app.retrieval.service import breadth
from app.retrieval.service.asking import Question
from app.retrieval.service.recalling import Recaller
from app.tenants import service as tenants
from app.tenants.schemas import LocalSettings, Scope

CONTEXT_CANDIDATES = 50
_RECENT_TURNS = 50
_HEADINGS = {"recent": "## Recent turns", "memories": "## Memories"}
_PROFILE = "## Profile"
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class ContextQuestion:
    """What a prompt is about, and how much room it has."""

    question: Question
    session_id: str | None
    agent_id: str | None
    max_tokens: int
    by_characters: bool
    reinforce: bool = True

    @property
    def with_profile(self) -> bool:
        """Tell whether the profile belongs in: it is of everything the owner said.

        Not for those who may see an agent's part only, nor where a filter leaves something out.
        """
        return self.agent_id is None and self.question.narrowing.node is None


@dataclass(frozen=True, slots=True)
class _Draft:
    memory_id: UUID
    occurred_at: datetime
    text: str


class _Counter:
    """Counts tokens by the embedder's tokenizer, or by estimate while it is away."""

    def __init__(self, spaces: Spaces, *, by_characters: bool) -> None:
        self._spaces = spaces
        self._by_characters = by_characters
        self.is_degraded = False

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Return the price of each text as a line of its own."""
        lines = [text + "\n" for text in texts]
        if self._by_characters:
            return [-(-len(line) // _CHARACTERS_PER_TOKEN) for line in lines]
        embedder = (await self._spaces.current()).embedder
        if embedder is not None and not self.is_degraded:
            try:
                return [found.tokens for found in await embedder.windows(lines)]
            except EmbedderError:
                pass
        self.is_degraded = True
        return [estimate_tokens(line) for line in lines]


async def build_context(
    database: Database,
    spaces: Spaces,
    recaller: Recaller,
    asked: ContextQuestion,
    *,
    reinforcer: Reinforcer,
    now: datetime,
) -> ContextResponse:
    """Recall, read the session's last turns, and pack what fits; only that counts as recalled."""
    found = await recaller.recall(asked.question, now=now)
    around = await _surroundings(database, asked, now=now)
    recent, zone = around.recent, around.zone
    recalled = [
        _Draft(one.id, one.occurred_at, _text(one.content, one.name, one.occurred_at, zone))
        for one in found.candidates
    ]
    counter = _Counter(spaces, by_characters=asked.by_characters)
    prices = await counter.count(
        [*_HEADINGS.values(), *(draft.text for draft in [*recent, *recalled])]
    )
    lines = [
        Line(draft.memory_id, draft.occurred_at, draft.text, price)
        for draft, price in zip([*recent, *recalled], prices[len(_HEADINGS) :], strict=True)
    ]
    profile, profile_heading = await _priced(counter, around.profile)
    packed, told = kernel.pack_all(
        profile,
        lines[: len(recent)],
        lines[len(recent) :],
        budget=asked.max_tokens,
        profile_share=around.profile_share,
        headings=(profile_heading, max(prices[: len(_HEADINGS)])),
    )
    heading_prices = dict(zip(_HEADINGS, prices, strict=False))
    sections = [
        _profile_section(told, profile_heading),
        _section("recent", packed.recent, heading_prices),
        _section("memories", packed.recalled, heading_prices),
    ]
    if asked.reinforce:
        found.reinforce(reinforcer, set(sections[-1].memory_ids), now=now)
    degraded: list[Literal["dense", "tokenizer"]] = ["dense"] if found.is_degraded else []
    return ContextResponse(
        text="\n\n".join(section.text for section in sections if section.text),
        tokens=sum(section.tokens for section in sections),
        sections=sections,
        degraded=[*degraded, "tokenizer"] if counter.is_degraded else degraded,
    )


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What stands around the recalled memories."""

    zone: tzinfo = UTC
    recent: list[_Draft] = field(default_factory=list)
    profile: list[profiles.ProfileLine] = field(default_factory=list)
    profile_share: float = 0
    """Of the budget, kept free for the profile."""


async def _priced(
    counter: _Counter, lines: Sequence[profiles.ProfileLine]
) -> tuple[list[ProfileLine], int]:
    """Return a profile's lines with their prices, and that of the heading."""
    if not lines:
        return [], 0
    texts = ["- " + " ".join(line.text.split()) for line in lines]
    # Three sections are joined by one line break more than their lines bring along.
    heading, *prices = await counter.count([_PROFILE + "\n", *texts])
    priced = [
        ProfileLine(text, price, line.repeats)
        for text, price, line in zip(texts, prices, lines, strict=True)
    ]
    return priced, heading


def _profile_section(lines: Sequence[ProfileLine], heading: int) -> ContextSection:
    if not lines:
        return ContextSection(name="profile", text="", tokens=0, memory_ids=[])
    return ContextSection(
        name="profile",
        text="\n".join([_PROFILE, *(line.text for line in lines)]),
        tokens=heading + sum(line.tokens for line in lines),
        memory_ids=[line.memory_id for line in lines if line.memory_id is not None],
    )


async def _surroundings(
    database: Database, asked: ContextQuestion, *, now: datetime
) -> _Surroundings:
    """Return the session's last turns as they are held now, the profile, and the time zone.

    A turn that was archived or has expired is left out, one that was edited stands as edited.
    """
    question = asked.question
    async with database.transaction() as session:
        scope = await tenants.enter(session, question.tenant_id, question.owner)
        if scope is None:
            return _Surroundings()
        local = await tenants.effective_settings(session, scope)
        zone = ZoneInfo(local.time_zone)
        told: list[profiles.ProfileLine] = []
        if asked.with_profile:
            told = await profiles.lines_for_prompt(session, scope, now=now)
        share = await _profile_share(session, local, question.text) if told else 0
        turns = await _turns(session, scope, asked, now=now)
    return _Surroundings(zone, [_turn(one, zone) for one in turns], told, share)


async def _profile_share(session: AsyncSession, local: LocalSettings, text: str) -> float:
    config = local.text_search_config
    content = await questions.count_stems(session, text, config=config)
    capitals_are_names = profiles.writes_names_apart(local)
    return breadth.profile_share(text, content, capitals_are_names=capitals_are_names)


async def _turns(
    session: AsyncSession, scope: Scope, asked: ContextQuestion, *, now: datetime
) -> list[Memory]:
    if asked.session_id is None:
        return []
    latest = await episodes.latest_messages(
        session, scope, asked.session_id, agent_id=asked.agent_id, limit=_RECENT_TURNS
    )
    ids = [turn.id for turn in latest]
    live = {one.id: one for one in await memories.live_by_ids(session, scope, ids, now=now)}
    return [live[memory_id] for memory_id in ids if memory_id in live]


def _turn(turn: Memory, zone: tzinfo) -> _Draft:
    text = _text(turn.content, turn.name or turn.role, turn.occurred_at, zone)
    return _Draft(turn.id, turn.occurred_at, text)


def _text(content: str, name: str | None, occurred_at: datetime, zone: tzinfo) -> str:
    return kernel.line(content, name, in_zone(occurred_at, zone))


def _section(
    name: Literal["recent", "memories"], lines: Sequence[Line], headings: dict[str, int]
) -> ContextSection:
    if not lines:
        return ContextSection(name=name, text="", tokens=0, memory_ids=[])
    return ContextSection(
        name=name,
        text="\n".join([_HEADINGS[name], *(line.text for line in lines)]),
        tokens=headings[name] + sum(line.tokens for line in lines),
        memory_ids=[line.memory_id for line in lines],
    )
