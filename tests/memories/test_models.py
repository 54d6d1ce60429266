"""Vectors of several models side by side, and the change from one to another."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from app.embeddings.fake import FakeEmbedder
from app.embeddings.protocol import Vectors
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskRegistry
from app.jobs.tasks import JobWorker
from app.kit.clock import now
from app.kit.settings import JobSettings
from app.memories import tasks
from app.memories.errors import ModelNotConfiguredError
from app.memories.service import Spaces, background, start_reembedding
from app.retrieval.service import Recaller
from tests.api import OPERATOR
from tests.memories import invariants
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg

SAID = ("I play the xylophone.", "It rains.", "The sun shines.")


def _use(store: Store, *embedders: FakeEmbedder) -> None:
    """Let the api work with these embedders, the first of them the configured one."""
    spaces = Spaces(
        store.database, {one.model: one for one in embedders}, primary=embedders[0].model
    )
    store.app.state.spaces = spaces
    store.app.state.recaller = Recaller(
        store.database, spaces, store.settings.retrieval, timeout_s=5
    )


async def _work(store: Store) -> None:
    """Run what is queued, with the api's embedders."""
    registry = TaskRegistry()
    tasks.register(registry, store.spaces, store.settings.housekeeping)
    hurried = store.settings.model_copy(update={"jobs": JobSettings(backoff_s=0)})
    await JobWorker(store.database, registry, hurried).drain()


async def _models(store: Store) -> dict[str, str]:
    return dict(await store.rows("SELECT name, state FROM embedding_models"))


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the caches of other processes: there are none."""
    monkeypatch.setattr(background, "CACHE_S", 0.0)


async def test_recall_goes_on_with_the_old_model_and_then_switches(fresh: Store) -> None:
    old, new = fresh.embedder, FakeEmbedder(model="new", dimensions=48)
    _use(fresh, old, new)
    for user in ("alice", "bob"):
        await fresh.remember(*SAID, user_id=user, infer="none")
    long = "filler words " * 300 + "needle"
    await fresh.remember(long, infer="none")

    queued = await start_reembedding(fresh.database, fresh.spaces, "new", now=now())

    assert queued == 2
    assert await _models(fresh) == {"fake": "active", "new": "building"}
    assert (await fresh.by_vector("xylophone"))[0] == SAID[0]
    await fresh.remember("Written meanwhile: a harp.", infer="none")
    await _work(fresh)
    assert await _models(fresh) == {"fake": "retired", "new": "active"}

    fresh.spaces._read_at = -1e9
    old.failing = True
    for user in ("alice", "bob"):
        recalled = await fresh.recall("xylophone", user_id=user, recipe="dense")
        assert recalled["degraded"] == []
        assert recalled["hits"][0]["content"] == SAID[0]
    assert (await fresh.by_vector("harp"))[0] == "Written meanwhile: a harp."
    stored = await fresh.remember("Written afterwards: a flute.", infer="none")
    assert stored[0]["embedding"] == "ready"
    assert (await fresh.by_vector("flute"))[0] == "Written afterwards: a flute."
    await invariants.check(fresh)


async def test_what_is_written_in_the_last_moment_is_caught_up(
    fresh: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = FakeEmbedder(model="new", dimensions=48)
    _use(fresh, fresh.embedder, new)
    await fresh.remember(*SAID, infer="none")
    real = background._switch

    async def switch(*arguments: object) -> None:
        await real(*arguments)  # type: ignore[arg-type]
        # Another process, whose cache is two seconds old, writes with the old model.
        await fresh.remember("In the last moment: a harp.", infer="none")

    monkeypatch.setattr(background, "_switch", switch)
    await start_reembedding(fresh.database, fresh.spaces, "new", now=now())
    await _work(fresh)

    fresh.spaces._read_at = -1e9
    assert (await fresh.by_vector("harp"))[0] == "In the last moment: a harp."


async def test_with_nothing_to_embed_the_switch_is_immediate(fresh: Store) -> None:
    _use(fresh, fresh.embedder, FakeEmbedder(model="new", dimensions=48))
    stored = await fresh.remember("Words.", infer="none")
    await fresh.erase(stored[0]["id"])

    assert await start_reembedding(fresh.database, fresh.spaces, "new", now=now()) == 0
    assert await _models(fresh) == {"fake": "retired", "new": "active"}


async def test_a_model_that_nobody_serves_is_refused(fresh: Store) -> None:
    with pytest.raises(ModelNotConfiguredError):
        await start_reembedding(fresh.database, fresh.spaces, "new", now=now())
    answer = await fresh.client.post(
        "/v1/embedding-models:reembed", json={"model": "new"}, headers=OPERATOR
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "model-not-configured"


async def test_over_http_the_operator_starts_it_and_sees_it_happen(fresh: Store) -> None:
    _use(fresh, fresh.embedder, FakeEmbedder(model="new", dimensions=48))
    await fresh.remember(*SAID, infer="none")
    started = await fresh.client.post(
        "/v1/embedding-models:reembed", json={"model": "new"}, headers=OPERATOR
    )
    assert (started.status_code, started.json()) == (202, {"model": "new", "jobs": 1})
    await _work(fresh)

    listed = (await fresh.client.get("/v1/embedding-models", headers=OPERATOR)).json()

    shown = [(one["name"], one["dimensions"], one["state"]) for one in listed["items"]]
    assert shown == [("fake", 384, "retired"), ("new", 48, "active")]
    for method, path in (
        ("GET", "/v1/embedding-models"),
        ("POST", "/v1/embedding-models:reembed"),
    ):
        answer = await fresh.send(method, path, {"model": "new"})
        assert answer.status_code == 403


async def test_vectors_of_one_model_never_land_among_anothers(fresh: Store) -> None:
    await fresh.remember(SAID[0], infer="none")
    # The operator names another model of the same dimensions, and re-embeds nothing.
    other = FakeEmbedder(model="other")
    _use(fresh, other)

    stored = await fresh.remember("I play the harp.", infer="none")
    recalled = await fresh.recall("harp")

    assert stored[0]["embedding"] == "pending"
    assert recalled["degraded"] == ["dense"]
    assert recalled["hits"][0]["content"] == "I play the harp."
    with pytest.raises(TaskPostponedError, match="fake"):
        await fresh.run_task("memories.embed")
    assert await fresh.count("embeddings_1") == 1
    assert await _models(fresh) == {"fake": "active"}


async def test_a_model_whose_dimensions_changed_is_not_mixed_in(fresh: Store) -> None:
    await fresh.remember(SAID[0], infer="none")
    fresh.embedder.dimensions = 48

    answer = await fresh.write("I play the harp.", infer="none")

    assert answer.status_code in {201, 502}
    assert await fresh.count("embeddings_1") == 1


# Bits.


class _VectorsOf(FakeEmbedder):
    """Answers with given vectors, by the number that a text ends with."""

    def __init__(self, vectors: Vectors) -> None:
        super().__init__(model="given", dimensions=vectors.shape[1])
        self._vectors = vectors

    async def embed(self, texts: Sequence[str]) -> Vectors:
        found: Vectors = self._vectors[[int(text.rsplit(" ", 1)[-1]) for text in texts]]
        return found

    async def embed_query(self, text: str) -> Vectors:
        vector: Vectors = (await self.embed([text]))[0]
        return vector


def _unit(vectors: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vectors:
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1)[:, None]).astype(np.float32)
    return unit


def _like_real(number: int) -> Vectors:
    """Return vectors as real embedders make them: many topics, each a cloud of few dimensions."""
    generator = np.random.default_rng(1)
    topics = generator.standard_normal((number // 25, 384))
    directions = generator.standard_normal((number // 25, 6, 384))
    topic = np.arange(number) % (number // 25)
    place = generator.standard_normal((number, 6))
    return _unit(topics[topic] + 0.5 * np.einsum("nk,nkd->nd", place, directions[topic]))


def _isotropic(number: int) -> Vectors:
    return _unit(np.random.default_rng(2).standard_normal((number, 384)))


async def _checked(fresh: Store, vectors: Vectors) -> tuple[bool, float]:
    """Let the check decide over these vectors; return its verdict and figure."""
    _use(fresh, _VectorsOf(vectors))
    for start in range(0, len(vectors), 500):
        texts = [f"number {n}" for n in range(start, min(start + 500, len(vectors)))]
        await fresh.remember(*texts, infer="none")
    await fresh.run_task("memories.check_bits")
    rows = await fresh.rows("SELECT uses_bits, bit_agreement FROM embedding_models")
    return rows[0][0], rows[0][1]


async def test_bits_of_vectors_like_real_ones_may_be_used(fresh: Store) -> None:
    uses_bits, agreement = await _checked(fresh, _like_real(1_000))

    assert uses_bits
    assert agreement > 0.95


async def test_bits_of_isotropic_vectors_may_not(fresh: Store) -> None:
    uses_bits, agreement = await _checked(fresh, _isotropic(1_000))

    assert not uses_bits
    assert agreement < 0.8


async def test_a_large_owner_is_checked_by_the_job_of_its_write(
    fresh: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.memories.service.spaces.BIT_CHECK_KEYS", 40)
    await fresh.remember(*[f"word{n}" for n in range(30)], infer="none")
    await _work(fresh)
    unchecked = await fresh.rows("SELECT bit_agreement FROM embedding_models")
    await fresh.remember(*[f"word{n}" for n in range(30, 50)], infer="none")
    await _work(fresh)

    assert unchecked == [(None,)]
    rows = await fresh.rows("SELECT uses_bits, bit_agreement FROM embedding_models")
    assert rows[0][1] is not None


async def test_until_a_check_says_so_vectors_are_compared_exactly(fresh: Store) -> None:
    await fresh.remember(*[f"word{n} again" for n in range(60)], infer="none")
    # Would the bits be used, nothing were found.
    await fresh.rows("DELETE FROM embedding_bits_1")
    settings = fresh.settings.retrieval.model_copy(update={"exact_below": 0})
    fresh.app.state.recaller = Recaller(fresh.database, fresh.spaces, settings, timeout_s=5)

    assert (await fresh.by_vector("word7"))[0] == "word7 again"


async def test_two_processes_make_the_first_model_once(fresh: Store) -> None:
    stored = await asyncio.gather(*(fresh.remember(f"{n}", user_id=f"u{n}") for n in range(4)))

    assert {one[0]["embedding"] for one in stored} == {"ready"}
    assert await _models(fresh) == {"fake": "active"}


async def _tokens(store: Store) -> dict[int, int]:
    """Return how many bytes of token bits each key has."""
    rows = await store.rows("SELECT key_ordinal, length(bits) FROM token_bits_1")
    return dict(rows)


async def test_each_key_has_the_bits_of_its_tokens(fresh: Store) -> None:
    stored = await fresh.remember(*SAID, "word " * 700, infer="none")

    words, width = [len(said.split()) for said in SAID], fresh.embedder.dimensions // 8
    held = await _tokens(fresh)
    assert len(stored) == len(SAID) + 1
    assert [held[ordinal] for ordinal in (1, 2, 3)] == [count * width for count in words]
    assert min(held) < 0  # further windows of a long text have theirs too
    assert max(held.values()) <= 256 * width


async def test_what_was_written_without_an_embedder_gets_its_bits_with_the_vector(
    fresh: Store,
) -> None:
    fresh.embedder.failing = True
    await fresh.remember(*SAID, infer="none")
    fresh.embedder.failing = False

    await _work(fresh)

    assert sorted(await _tokens(fresh)) == [1, 2, 3]


async def test_keys_of_an_earlier_release_get_their_bits_with_the_next_job(fresh: Store) -> None:
    await fresh.remember(*SAID, infer="none")
    await _work(fresh)
    # As the migration leaves them.
    await fresh.rows("DELETE FROM token_bits_1")
    await fresh.rows("UPDATE owner_stats SET is_pending = true")

    fresh.embedder.failing = True
    await fresh.remember("One more.", infer="none")
    fresh.embedder.failing = False
    await _work(fresh)

    assert sorted(await _tokens(fresh)) == [1, 2, 3, 4]
    assert await fresh.rows("SELECT is_pending FROM owner_stats") == [(False,)]


async def test_an_edit_renews_the_bits_and_archiving_removes_them(fresh: Store) -> None:
    first, second, _ = await fresh.remember(*SAID, infer="none")
    before = await _tokens(fresh)

    await fresh.send("PATCH", f"/v1/memories/{first['id']}", {"content": "I play."})
    await fresh.send("POST", f"/v1/memories/{second['id']}:archive", None)

    after = await _tokens(fresh)
    assert sorted(after.values()) == sorted([before[1] // 2, before[3]])


async def test_an_embedder_without_tokens_is_a_full_embedder(fresh: Store) -> None:
    plain = FakeEmbedder(has_tokens=False)
    _use(fresh, plain)

    await fresh.remember(*SAID, infer="none")
    await _work(fresh)

    hits = (await fresh.recall("Who plays the xylophone?", explain=True))["hits"]
    assert hits[0]["content"] == SAID[0]
    assert "tokens" not in hits[0]["explain"]["features"]
    assert await _tokens(fresh) == {}
    assert await fresh.rows("SELECT is_pending FROM owner_stats") == [(False,)]
