"""What holds in the tables after any sequence of writes, whatever it was."""

from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from app.memories import kernel
from app.memories.kernel import Statement
from app.tenants.kernel import TEXT_SEARCH
from tests.memories.helpers import Json, Store

_KEYS = """
    SELECT k.ordinal, k.memory_ordinal, k.start, k.stop, k.lexemes, m.archived_at IS NULL AS is_live
    FROM memory_keys k
    LEFT JOIN memories m ON m.owner_id = k.owner_id AND m.ordinal = k.memory_ordinal
    WHERE k.owner_id = :owner_id
"""
_MEMORIES = """
    SELECT ordinal, content, name, occurred_at, context_ordinal, archived_at IS NULL, session_id
    FROM memories WHERE owner_id = :owner_id AND generated_by IS NULL
"""
_SETTINGS = """
    SELECT coalesce(o.language, t.language), coalesce(o.time_zone, t.time_zone)
    FROM owners o JOIN tenants t USING (tenant_id) WHERE o.owner_id = :owner_id
"""
_STEMS = """
    SELECT t.ordinal, s.lexeme, cardinality(s.positions)
    FROM unnest(CAST(:ordinals AS integer[]), CAST(:texts AS text[])) AS t (ordinal, text)
    CROSS JOIN LATERAL unnest(to_tsvector(CAST(:config AS regconfig), t.text)) s
"""


_COUNTS = """
    SELECT c.lexeme, c.keys, p.keys, c.most_tf, c.least_dl, p.dl, p.tf
    FROM stem_counts c JOIN covered_keys k ON k.owner_id = c.owner_id AND k.index_name = 'stems'
    CROSS JOIN LATERAL (
        SELECT count(*) AS keys, min(CAST(dl AS float8) / tf) AS dl, max(tf) AS tf FROM postings
        WHERE owner_id = c.owner_id AND lexeme = c.lexeme
            AND key_ordinal BETWEEN k.lowest AND k.highest) p
    WHERE c.owner_id = :owner_id
"""


async def check(store: Store, user_id: str = "alice") -> None:
    """Hold an owner's rows to all that must be true of them."""
    scope = await store.scope(user_id)
    own: Json = {"owner_id": scope.owner_id}
    memories = {row[0]: row for row in await store.rows(_MEMORIES, **own)}
    keys = {row[0]: row for row in await store.rows(_KEYS, **own)}
    await _check_keys(store, own, memories, keys)
    await _check_postings(store, own, memories, keys)
    await _check_vectors(store, own, set(keys))
    await _check_covering(store, own)
    await _check_sessions(store, own)


Rows = dict[int, tuple[Any, ...]]


async def _check_keys(store: Store, own: Json, memories: Rows, keys: Rows) -> None:
    """Each live memory has the key of its ordinal, and only live memories have keys.

    Those that mechanisms made have none.
    """
    assert all(row[5] for row in keys.values()), "a key of no memory, or of an archived one"
    live = {ordinal for ordinal, row in memories.items() if row[5]}
    assert {ordinal for ordinal in keys if ordinal > 0} == live
    assert all(row[0] == row[1] for row in keys.values() if row[0] > 0)
    for ordinal in live:
        spans = sorted((row[2], row[3]) for row in keys.values() if row[1] == ordinal)
        assert spans[0][0] == 0
        assert spans[-1][1] == len(memories[ordinal][1])
        assert all(after[0] <= before[1] for before, after in pairwise(spans))
    stats = await store.rows(
        "SELECT keys, last_ordinal, last_extra_key FROM owner_stats WHERE owner_id = :owner_id",
        **own,
    )
    assert stats[0][0] == len(keys)
    assert stats[0][1] >= max([0, *memories])
    assert stats[0][2] >= -min([0, *keys])


async def _check_postings(store: Store, own: Json, memories: Rows, keys: Rows) -> None:
    """The postings are those of the texts as they are now: no word of another time is left."""
    (language, zone) = (await store.rows(_SETTINGS, **own))[0]
    held: dict[int, dict[str, int]] = {ordinal: {} for ordinal in keys}
    lengths: dict[int, set[int]] = {ordinal: set() for ordinal in keys}
    rows = await store.rows(
        "SELECT key_ordinal, lexeme, tf, dl FROM postings WHERE owner_id = :owner_id", **own
    )
    for key, lexeme, tf, dl in rows:
        assert key in keys, "a posting of no key"
        held[key][lexeme] = tf
        lengths[key].add(dl)
    texts = [_text(memories, row[1], row[2], row[3], zone) for row in keys.values()]
    expected: dict[int, dict[str, int]] = {ordinal: {} for ordinal in keys}
    config = TEXT_SEARCH[language]
    for ordinal, lexeme, tf in await store.rows(
        _STEMS, ordinals=list(keys), texts=texts, config=config
    ):
        expected[ordinal][lexeme] = tf
    for ordinal, (*_, lexemes, _) in keys.items():
        stems = expected[ordinal]
        assert held[ordinal] == stems, f"key {ordinal} has other stems than its text"
        assert sorted(lexemes) == sorted(stems)
        assert lengths[ordinal] == ({min(sum(stems.values()), 32_767)} if stems else set())
    total = await store.rows("SELECT sum_dl FROM owner_stats WHERE owner_id = :owner_id", **own)
    assert total[0][0] == sum(max(found) for found in lengths.values() if found)


def _text(memories: Rows, ordinal: int, start: int, stop: int, zone: str) -> str:
    _, content, name, occurred_at, context, _, session = memories[ordinal]
    before = memories.get(context)
    if before is not None:
        assert before[6] == session, "the turn before is of another session"
    # An archived turn lends its words to nobody.
    previous = kernel.spoken(before[1], before[2]) if before and before[5] else None
    statement = Statement(content, name, occurred_at, previous)
    return kernel.lexical_text(statement, start, stop, ZoneInfo(zone))


async def _check_covering(store: Store, own: Json) -> None:
    """What is known in advance of stems is true of the keys that it covers."""
    for lexeme, counted, keys, most_tf, least_dl, dl, tf in await store.rows(_COUNTS, **own):
        assert counted == keys, f"{lexeme} is counted {counted} times, and stands in {keys} keys"
        if keys:
            assert most_tf >= tf
            assert least_dl <= dl * (1 + 1e-6)


async def _check_vectors(store: Store, own: Json, keys: set[int]) -> None:
    """Vectors and bits belong to keys, each vector has its bits, and a lack of one is noted."""
    lacks = bool(keys)
    for model_id, state in await store.rows("SELECT model_id, state FROM embedding_models"):
        vectors = await store.rows(
            f"SELECT key_ordinal, binary_quantize(vector)::text FROM embeddings_{model_id} "
            "WHERE owner_id = :owner_id",
            **own,
        )
        bits = await store.rows(
            f"SELECT key_ordinal, bits::text FROM embedding_bits_{model_id} "
            "WHERE owner_id = :owner_id",
            **own,
        )
        assert {row[0] for row in vectors} <= keys, "a vector of no key"
        assert sorted(vectors) == sorted(bits)
        tokens = await store.rows(
            f"SELECT key_ordinal FROM token_bits_{model_id} WHERE owner_id = :owner_id", **own
        )
        assert {row[0] for row in tokens} == {row[0] for row in vectors}
        if state == "active":
            lacks = {row[0] for row in vectors} != keys
    noted = await store.rows("SELECT is_pending FROM owner_stats WHERE owner_id = :owner_id", **own)
    assert noted[0][0] or not lacks, "a key waits for its vector, and no job would look"


async def _check_sessions(store: Store, own: Json) -> None:
    """Sessions count the messages that they hold; none is empty, none is missing."""
    counted = await store.rows(
        "SELECT session_id, count(*), max(seq), min(occurred_at), max(occurred_at) FROM episodes "
        "WHERE owner_id = :owner_id AND session_id IS NOT NULL GROUP BY 1",
        **own,
    )
    sessions = await store.rows(
        "SELECT session_id, messages, last_seq, first_at, last_at FROM sessions "
        "WHERE owner_id = :owner_id",
        **own,
    )
    held = {row[0]: row for row in sessions}
    assert held.keys() == {row[0] for row in counted}
    for session_id, messages, last_seq, first_at, last_at in counted:
        assert held[session_id][1] == messages
        assert held[session_id][2] >= last_seq
        assert (held[session_id][3], held[session_id][4]) == (first_at, last_at)
