"""Whatever is sent is a value: no text of a caller ever becomes SQL."""

import pytest

from tests.memories.helpers import Json, Store

pytestmark = pytest.mark.pg

ATTEMPTS = (
    "'; DROP TABLE memories; --",
    "' OR '1'='1",
    "$$; SELECT pg_sleep(10); $$",
    '"; DELETE FROM episodes; --',
    ":owner_id",
    "%(owner_id)s %s %",
    "\\'; --",
    "{0} {owner_id}",
    "/*lexical_filter*/",
    "1::int) UNION SELECT * FROM api_keys --",
    "cat & dog | !bird <-> (",
    "cat:*",
)


async def _untouched(store: Store) -> None:
    assert await store.by_words("hedgehog") == ["A hedgehog."]
    assert await store.found("hedgehog", user_id="bob") == []


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_no_text_becomes_sql(store: Store, attempt: str) -> None:
    await store.remember("A hedgehog.")
    label = attempt[:200]

    # As stored words and their members.
    said: Json = {
        "content": attempt,
        "role": label,
        "name": label,
        "place": label,
        "session_id": label,
        "client_id": label,
        "metadata": {attempt: attempt},
    }
    stored = await store.remember(said, user_id="mallory", agent_id=label)
    read = await store.read(stored[0]["id"])
    assert read["content"] == attempt
    assert read["metadata"] == {attempt: attempt}

    # As a question, and as whatever narrows it.
    assert await store.found(attempt, user_id="mallory") == [attempt]
    for member, value in (("session_id", label), ("agent_id", label)):
        assert await store.found("x", user_id="mallory", **{member: value}) == [attempt]
    assert await store.found("x", user_id="mallory", kinds=[attempt]) == []
    for field in ("content", "role", "name", "place", "session_id", "agent_id"):
        for operator in ("eq", "contains", "gte", "lte"):
            value = attempt if field == "content" else label
            filters = {field: {operator: value}}
            assert await store.found("x", user_id="mallory", filters=filters) == [attempt]
    if "." not in attempt:
        in_metadata = {f"metadata.{attempt}": {"in": [attempt]}}
        assert await store.found("x", user_id="mallory", filters=in_metadata) == [attempt]
    assert await store.found(attempt, user_id=label) == []
    packed = await store.context(attempt, user_id="mallory", session_id=label)
    assert packed["sections"][1]["memory_ids"] == [stored[0]["id"]]

    await _untouched(store)


async def test_names_of_fields_and_operators_are_looked_up_not_pasted(store: Store) -> None:
    await store.remember("A hedgehog.")
    for attempt in ATTEMPTS:
        for filters in ({attempt: {"eq": 1}}, {"role": {attempt: "a"}}):
            answer = await store.send(
                "POST", "/v1/recall", {"query": "x", "user_id": "alice", "filters": filters}
            )
            assert answer.status_code == 422

    await _untouched(store)
