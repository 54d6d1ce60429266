"""Whatever users and mechanisms do, in whatever order: what must be true of the rows stays true."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from app.derivations import DERIVATIONS
from app.forgetting.service import Forgetter
from app.kit.clock import now
from app.llm.protocol import LanguageModel, Prompt
from app.tenants.policies import Mechanisms
from tests.enrichment import invariants
from tests.enrichment.helpers import chain, contents, expire, fingerprint, switch
from tests.enrichment.whims import Whims
from tests.forgetting.helpers import follow, settle
from tests.memories.helpers import Json, Store, at

pytestmark = pytest.mark.pg

HOUR = timedelta(hours=1)
MECHANISMS = tuple(Mechanisms.model_fields)
SECRETS = {"alice": "zebra", "bob": "quokka"}
_SAID = (
    "I live in {place}.", "I moved to {place}.", "My {secret} plays the violin.",
    "I like {thing}.", "I don't like {thing} anymore.", "My sister Carla likes {thing}.",
    "The {secret} sleeps in the garden.", "I planted {thing} in the garden.",
    "The {thing} in the garden need water, says Carla.", "I work as a gardener in {place}.",
    "The {secret} Otto lives in {place}.", "Otto the {secret} does not live in {place}.",
    "I have never planted any {thing} in the garden.",
    "I lived in {place} from 2012 to 2015.", "I no longer live in {place}.",
)  # fmt: skip
_PLACES = ("Berlin", "Rome", "Oslo")
_THINGS = ("tomatoes", "beans", "tea")


@dataclass
class Life:
    """One user's random doings."""

    store: Store
    user: str
    generator: random.Random
    llm: LanguageModel | None
    live: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)

    async def step(self) -> None:
        """Do one random thing."""
        await self._look()
        doings: list[Callable[[], Awaitable[None]]] = [self._add, self._add]
        if self.live or self.archived:
            doings += [self._enrich] * 3 + [self._some_tasks, self._recall, self._forget]
            doings += [self._expire, self._switch]
        if self.live:
            doings += [self._edit, self._archive, self._erase, self._erase_a_thought]
        if self.archived:
            doings += [self._restore]
        if len(self.live) > 2:
            doings += [self._revert, self._recall]
        await self.generator.choice(doings)()

    def _text(self) -> str:
        choose = self.generator.choice
        said = choose(_SAID).format(
            place=choose(_PLACES), thing=choose(_THINGS), secret=SECRETS[self.user]
        )
        return f"{said} {choose(_SAID[:2]).format(place='Paris')}" if choose((0, 0, 1)) else said

    async def _add(self) -> None:
        items: list[Json] = [
            {
                "content": self._text(),
                "name": self.user.title(),
                "occurred_at": at(self.generator.randint(0, 9_000)),
                "session_id": self.generator.choice(["s1", "s2"]),
                "expires_at": self.generator.choice([None, None, (now() + HOUR).isoformat()]),
            }
            for _ in range(self.generator.randint(1, 6))
        ]
        agent_id = self.generator.choice([None, "coach", "cook"])
        stored = await self.store.remember(*items, user_id=self.user, agent_id=agent_id)
        known = {*self.live, *self.archived}
        self.live += list(dict.fromkeys(one["id"] for one in stored if one["id"] not in known))

    async def _recall(self) -> None:
        found = await self.store.recall(
            self._text(), user_id=self.user, reinforce=True, limit=3, kinds=["episode"]
        )
        await settle(self.store)
        for hit in found["hits"]:
            await invariants.was_retained_whole_when_recalled(self.store, hit["id"])

    async def _enrich(self) -> None:
        await chain(self.store, self.user, llm=self.llm)

    async def _some_tasks(self) -> None:
        tasks = ["linking.note", "linking.link", "thoughts.think", "thoughts.organise"]
        tasks += ["facts.extract", "facts.compare"]
        chosen = self.generator.sample(tasks, 2)
        await chain(self.store, self.user, llm=self.llm, tasks=chosen)

    async def _forget(self) -> None:
        scope = await self.store.scope(self.user)
        moment = now() + timedelta(days=self.generator.choice([1, 4, 8]))
        await Forgetter(self.store.database, scope, DERIVATIONS, moment).run()

    async def _expire(self) -> None:
        await expire(self.store, now() + 2 * HOUR)

    async def _switch(self) -> None:
        """Switch mechanisms on and off, for all users."""
        await switch(self.store, **{one: self.generator.random() < 0.6 for one in MECHANISMS})

    async def _look(self) -> None:
        """See what has been archived, by whatever it was."""
        if not self.live and not self.archived:
            return
        scope = await self.store.scope(self.user)
        rows = await self.store.rows(
            "SELECT id::text, archived_at IS NULL FROM memories "
            "WHERE owner_id = :owner_id AND generated_by IS NULL ORDER BY ordinal",
            owner_id=scope.owner_id,
        )
        self.live = [row[0] for row in rows if row[1]]
        self.archived = [row[0] for row in rows if not row[1]]

    def _take(self, held: list[str]) -> str:
        return held.pop(self.generator.randrange(len(held)))

    async def _edit(self) -> None:
        await self.store.edit(self.generator.choice(self.live), content=self._text())

    async def _archive(self) -> None:
        memory_id = self._take(self.live)
        await self.store.archive(memory_id)
        self.archived.append(memory_id)

    async def _restore(self) -> None:
        memory_id = self._take(self.archived)
        await self.store.restore(memory_id)
        self.live.append(memory_id)

    async def _erase(self) -> None:
        await self.store.erase(self._take(self.live))

    async def _erase_a_thought(self) -> None:
        path = "/v1/memories"
        listed = await self.store.get(path, user_id=self.user, kind="thought")
        if listed["items"]:
            await self.store.erase(self.generator.choice(listed["items"])["id"])

    async def _revert(self) -> None:
        """Undo a note's latest change, where there is one and nothing came after."""
        memory_id = self.generator.choice(self.live)
        changes = (await self.store.get(f"/v1/memories/{memory_id}/evolutions"))["items"]
        if changes:
            path = f"/v1/memories/{memory_id}/evolutions/{changes[-1]['id']}:revert"
            answer = await self.store.client.post(path)
            assert answer.status_code in {200, 409}, answer.text


@pytest.mark.parametrize(("seed", "with_model"), [(0, False), (1, True), (2, True)])
async def test_any_sequence_keeps_what_must_be_true(
    store: Store, seed: int, *, with_model: bool
) -> None:
    generator = random.Random(seed)
    model = Whims(generator).model
    lives = [Life(store, user, generator, model if with_model else None) for user in SECRETS]
    for life in lives:
        while not life.live:
            await life.step()
        await follow(store, life.user, archiving="threshold", threshold=0.05)

    for _ in range(4):
        for _ in range(7):
            await generator.choice(lives).step()
        await _check(store)

    await switch(store, **dict.fromkeys(MECHANISMS, True))
    for life in lives:
        await chain(store, life.user, llm=life.llm)
        invariants.thoughts_are_of_live_memories(await contents(store, life.user))
        invariants.facts_are_of_live_memories(await contents(store, life.user))
        before = await fingerprint(store, life.user)
        await chain(store, life.user, llm=life.llm)
        assert await fingerprint(store, life.user) == before, "done again, it came out otherwise"
    await _check(store)
    _check_prompts(model.asked)
    await _check_erase(store)


async def _check(store: Store) -> None:
    (alice, zebra), (bob, quokka) = SECRETS.items()
    await invariants.check(store, alice, foreign=quokka)
    await invariants.check(store, bob, foreign=zebra)


def _check_prompts(asked: Sequence[Prompt]) -> None:
    """No prompt was made of two owners' memories."""
    texts = [repr(prompt).lower() for prompt in asked]
    assert not any(all(secret in text for secret in SECRETS.values()) for text in texts)


async def _check_erase(store: Store) -> None:
    """Erase one user, then the other: nothing is left of the one, and all of the other."""
    (alice, zebra), (bob, _) = SECRETS.items()
    for user in (alice, bob):
        owner_id = (await store.scope(user)).owner_id
        answer = await store.client.delete(f"/v1/users/{user}")
        assert answer.is_success, answer.text
        await invariants.nothing_is_left(store, owner_id)
        if user == alice:
            await invariants.check(store, bob, foreign=zebra)
