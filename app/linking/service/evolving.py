"""The task ``linking.link`` with a language model: it decides on links, tags and neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.embeddings.protocol import Vectors
from app.kit import clock
from app.kit.ids import new_id
from app.kit.logging import get_logger
from app.linking import prompts
from app.linking.kernel import links as kernel
from app.linking.kernel import notes as note_kernel
from app.linking.kernel.links import Near
from app.linking.models import NoteRow
from app.linking.prompts import EvolutionAnswer, Shown
from app.linking.repository import evolutions
from app.linking.repository import links as link_rows
from app.linking.repository import notes as rows
from app.linking.schemas import Action, NewEvolution, NewLink, NoteState
from app.linking.service.linking import Weaver, archived, known_of, neighbours
from app.linking.service.sources import sources_of
from app.linking.service.tools import SPACE, Ready, Tools, embed
from app.linking.service.upkeep import text_of
from app.llm.gate import Gate
from app.llm.protocol import LanguageModel, Payer
from app.llm.service import postponing
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.service import Batch

log = get_logger("linking")


async def evolve(batch: Batch, tools: Tools, llm: LanguageModel) -> None:
    """Let a model say what the one new note of a batch changes among its neighbours.

    Each memory is a batch of its own: the next one meets the notes as this one left them.
    """
    ready = await tools.ready()
    # The model judges, so no cosine is too small to be shown.
    near = await neighbours(batch, ready, k=tools.settings.neighbours, least=-1)
    hidden = archived(batch)
    if hidden:
        async with batch.writing() as (session, _):
            await rows.reopen(session, batch.scope, hidden)
    for ordinal, found in near.items():
        scene = await _read(batch, ordinal, found)
        plan = await _ask(batch, llm, scene) if scene.others else Plan()
        texts = {o: text_of(scene.memories[o].content, state) for o, state in plan.states.items()}
        vectors = await embed(ready, list(texts.values())) if texts else None
        await _store(batch, tools, ready, scene, Outcome(plan, list(texts), vectors))


@dataclass(frozen=True, slots=True)
class Scene:
    """A new note and its neighbours, as they were read."""

    ordinal: int
    near: tuple[Near, ...]
    memories: Mapping[int, Memory]
    notes: Mapping[int, NoteRow]

    @property
    def others(self) -> list[int]:
        """Return the neighbours, nearest first."""
        return [one.ordinal for one in self.near]

    def shown(self, ordinal: int) -> Shown:
        """Return a memory as the model reads it."""
        memory, note = self.memories[ordinal], self.notes[ordinal]
        said = memory.content[: note_kernel.CONTENT_CHARACTERS]
        spoken = memories.spoken(said, memory.name)
        return Shown(ordinal, spoken, note.keywords, note.tags, note.context)


@dataclass(slots=True)
class Plan:
    """What a model's answer comes to, once it was checked."""

    states: dict[int, NoteState] = field(default_factory=dict)
    """By ordinal, the notes that change, as they shall be."""
    reasons: dict[int, str] = field(default_factory=dict)
    """By ordinal, the neighbours to link to, and why."""
    generated_by: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan, and the vectors of the notes that it changes."""

    plan: Plan
    ordinals: list[int]
    vectors: Vectors | None


async def _read(batch: Batch, ordinal: int, near: Sequence[Near]) -> Scene:
    asked = [ordinal, *(one.ordinal for one in near)]
    async with batch.reading() as session:
        notes = await rows.held(session, batch.scope, asked)
        held = {m.ordinal: m for m in await memories.by_ordinals(session, batch.scope, asked)}
    present = tuple(one for one in near if one.ordinal in notes and one.ordinal in held)
    return Scene(ordinal, present if ordinal in notes else (), held, notes)


async def _ask(batch: Batch, llm: LanguageModel, scene: Scene) -> Plan:
    prompt = prompts.evolution(scene.shown(scene.ordinal), [scene.shown(o) for o in scene.others])
    form = prompts.evolution_answer(len(scene.others))
    payer = Payer(batch.scope.tenant_id, batch.scope.owner_id)
    with postponing():
        answer = await llm.ask(prompt, form, payer=payer)
    gate = Gate(sources_of(scene.memories.values()), language=batch.local.text_search_config)
    return _checked(answer, scene, gate, f"llm:{llm.model}")


def _checked(answer: EvolutionAnswer, scene: Scene, gate: Gate, generated_by: str) -> Plan:
    """Keep of an answer what is about the true neighbours, and claims nothing new."""
    plan = Plan(generated_by=generated_by)
    if not answer.should_evolve:
        return plan
    if "strengthen" in answer.actions:
        _strengthen(plan, answer, scene, gate)
    if "update_neighbor" in answer.actions:
        _update_neighbours(plan, answer, scene, gate)
    return plan


def _strengthen(plan: Plan, answer: EvolutionAnswer, scene: Scene, gate: Gate) -> None:
    known = set(scene.others)
    for one in answer.suggested_connections:
        if one.id in known:
            plan.reasons[one.id] = gate.supported(one.reason).text or "suggested"
    tags = gate.kept(answer.tags_to_update)
    _change(plan, scene, scene.ordinal, tags=tags, context="")


def _update_neighbours(plan: Plan, answer: EvolutionAnswer, scene: Scene, gate: Gate) -> None:
    dropped = 0
    asked = zip(
        scene.others, answer.new_context_neighborhood, answer.new_tags_neighborhood, strict=True
    )
    for ordinal, context, tags in asked:
        checked = gate.supported(context)
        dropped += len(checked.dropped)
        _change(plan, scene, ordinal, tags=gate.kept(tags), context=checked.text)
    if dropped:
        log.info("dropped what no source says", sentences=dropped, of="contexts")


def _change(plan: Plan, scene: Scene, ordinal: int, *, tags: Sequence[str], context: str) -> None:
    """Plan the new words of a note; what came out empty stays as it is."""
    before = NoteState.model_validate(scene.notes[ordinal])
    distinct = list(dict.fromkeys(tags))[: note_kernel.MOST_TAGS]
    wanted = {"tags": distinct or before.tags, "context": context or before.context}
    after = before.model_copy(update=wanted)
    if after != before:
        plan.states[ordinal] = after


async def _store(batch: Batch, tools: Tools, ready: Ready, scene: Scene, outcome: Outcome) -> None:
    plan, scope = outcome.plan, batch.scope
    async with batch.writing() as (session, fresh):
        held = await rows.held(session, scope, [scene.ordinal, *scene.others])
        if scene.ordinal not in fresh or scene.ordinal not in held:
            return
        # A note that changed while the model thought is left as it is now.
        same = {o for o, note in held.items() if note.version == scene.notes[o].version}
        last = await evolutions.last_number(session, scope)
        known = await known_of(session, scope, held, [scene.ordinal])
        for other in [o for o in plan.reasons if kernel.ends(scene.ordinal, o) in known.settled]:
            del plan.reasons[other]
        made = _record(scene, plan, same, first=last + 1)
        now = clock.now()
        await evolutions.add(session, scope, made.evolved, now=now)
        await link_rows.add(session, scope, made.links, now=now)
        states = {o: state for o, state in plan.states.items() if o in same}
        await rows.change(session, scope, states, model_id=ready.table.model_id, now=now)
        places = [place for place, o in enumerate(outcome.ordinals) if o in same]
        if outcome.vectors is not None:
            kept = [outcome.ordinals[place] for place in places]
            await memories.put_vectors(
                session, scope, ready.table, SPACE, kept, outcome.vectors[places]
            )
        weaver = Weaver(held, known, tools.settings.neighbours, 0)
        least = tools.settings.least_cosine
        near = [one for one in scene.near if one.ordinal in held and one.cosine >= least]
        weaver.meet(scene.ordinal, near)
        await rows.set_near(session, scope, weaver.touched(), linked=weaver.linked)
        if _passes(last, last + len(made.evolved), tools.settings.rebuild_after):
            await rows.outdate(session, scope)


def _passes(before: int, after: int, every: int) -> bool:
    """Say whether a count went past a multiple of ``every``."""
    return before // every != after // every


@dataclass(frozen=True, slots=True)
class _Made:
    evolved: list[NewEvolution]
    links: list[NewLink]


def _record(scene: Scene, plan: Plan, same: set[int], *, first: int) -> _Made:
    """Put a plan's changes on record, and its links."""
    made = _Made([], [])
    linked = [one for one in scene.near if one.ordinal in plan.reasons and one.ordinal in same]
    if linked or (scene.ordinal in plan.states and scene.ordinal in same):
        made.evolved.append(_evolution(scene, plan, scene.ordinal, "strengthen", number=first))
        made.links.extend(
            NewLink(
                *kernel.ends(scene.ordinal, one.ordinal),
                kind="suggested",
                reason=plan.reasons[one.ordinal],
                weight=one.cosine,
                generated_by=plan.generated_by,
                evolution_no=first,
            )
            for one in linked
        )
    for ordinal in scene.others:
        if ordinal in plan.states and ordinal in same:
            number = first + len(made.evolved)
            made.evolved.append(_evolution(scene, plan, ordinal, "update_neighbor", number=number))
    return made


def _evolution(
    scene: Scene, plan: Plan, target: int, action: Action, *, number: int
) -> NewEvolution:
    before = NoteState.model_validate(scene.notes[target])
    return NewEvolution(
        number=number,
        id=new_id(),
        trigger=scene.ordinal,
        target=target,
        action=action,
        sources=[scene.ordinal, *scene.others],
        before=before,
        after=plan.states.get(target, before),
        generated_by=plan.generated_by,
    )
