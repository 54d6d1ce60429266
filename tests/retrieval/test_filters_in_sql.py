"""A filter compiled to SQL lets through what a plain evaluation lets through, for any filter."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kit.database import Database
from app.kit.ids import new_id
from app.kit.orm import Base
from app.retrieval.repository.filters import Narrowing, passing
from app.retrieval.service import parse_filters
from app.tenants.schemas import Scope
from tests.memories.helpers import Json, Store, at
from tests.retrieval.plain_filters import passes

pytestmark = pytest.mark.pg

NOW = datetime(2026, 2, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
"""Before anything expires: expiry has tests of its own."""

MEMORIES = Base.metadata.tables["memories"]
TIMES = ("occurred_at", "expires_at")

# Few names and values, so that filters often hit something.
KEYS = ["a", "b", "list", "0", "ä b", "A"]
NUMBERS = [0, 1, -1, 2, 1.0, 1.5, 0.1, 10**18, 10**30, 1e300, -0.0]
TEXTS = ["", "a", "A", "b", "ab", "ä", "z", "%", "_", "\\", "'", '"', "1", "日本"]
SCALARS = [None, True, False, *NUMBERS, *TEXTS]
COLUMNS: dict[str, list[Any]] = {
    "kind": ["episode", "fact", "thought"],
    "role": TEXTS,
    "name": TEXTS,
    "session_id": TEXTS,
    "agent_id": TEXTS,
    "place": TEXTS,
    "content": TEXTS,
    "occurred_at": [at(minute) for minute in range(6)],
    "expires_at": [at(minute) for minute in range(6)],
    "importance": [0, 0.25, 0.5, 1],
    "pinned": [True, False],
}
REQUIRED = {"kind", "content", "occurred_at", "pinned"}
ORDERED = ("gt", "gte", "lt", "lte")


def _random_value(generator: random.Random, depth: int) -> Any:  # noqa: ANN401
    shape = generator.random()
    if depth and shape < 0.25:
        return [_random_value(generator, depth - 1) for _ in range(generator.randint(0, 3))]
    if depth and shape < 0.5:
        return _random_object(generator, depth - 1)
    return generator.choice(SCALARS)


def _random_object(generator: random.Random, depth: int = 2) -> Json:
    names = generator.sample(KEYS, generator.randint(0, 4))
    return {name: _random_value(generator, depth) for name in names}


def _random_row(generator: random.Random) -> Json:
    row = {
        name: generator.choice(values if name in REQUIRED else [None, *values])
        for name, values in COLUMNS.items()
    }
    return {**row, "metadata": _random_object(generator)}


_values: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=5,
)


def _conditions(values: st.SearchStrategy[Any], *operators: str) -> st.SearchStrategy[Json]:
    """Return objects of one or two operators, each with an operand that it takes."""
    operands = dict.fromkeys(operators, values)
    for operator in ("in", "nin"):
        operands[operator] = st.lists(values, min_size=1, max_size=3)
    operands["exists"] = st.booleans()
    one = st.one_of(*(st.tuples(st.just(name), given) for name, given in operands.items()))
    return st.lists(one, min_size=1, max_size=2).map(dict)


def _leaf(name: str) -> st.SearchStrategy[Json]:
    operators = ["eq", "ne"]
    if name != "pinned":
        operators += ORDERED
    if name not in {"pinned", "importance", "occurred_at", "expires_at"}:
        operators.append("contains")
    conditions = _conditions(st.sampled_from(COLUMNS[name]), *operators)
    return conditions.map(lambda held: {name: held})


_steps = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3)
_paths = _steps.map(lambda steps: ".".join(["metadata", *steps]))
_compared = st.sampled_from([*NUMBERS, *TEXTS])
_on_metadata = st.one_of(
    st.dictionaries(_paths, _conditions(_values, "eq", "ne", "contains"), min_size=1, max_size=1),
    st.dictionaries(_paths, _conditions(_compared, *ORDERED), min_size=1, max_size=1),
)
_leaves = st.one_of(_on_metadata, *(_leaf(name) for name in COLUMNS))
_filters = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda nodes: {"and": nodes}),
        st.lists(inner, min_size=1, max_size=3).map(lambda nodes: {"or": nodes}),
        inner.map(lambda node: {"not": node}),
        st.tuples(inner, inner).map(lambda two: {**two[0], **two[1]}),
    ),
    max_leaves=5,
)


def _typed(row: Json) -> Json:
    """Return a row with its times as times."""
    times = {name: row[name] and datetime.fromisoformat(row[name]) for name in TIMES}
    return {**row, **times}


async def _insert(store: Store, scope: Scope, first: int, rows: list[Json]) -> None:
    """Insert rows as they are, past all rules of a write."""
    fixed = {
        "owner_id": scope.owner_id,
        "tenant_id": scope.tenant_id,
        "created_at": NOW,
        "updated_at": NOW,
    }
    values = [
        _typed(row) | fixed | {"ordinal": ordinal, "id": new_id()}
        for ordinal, row in enumerate(rows, start=first)
    ]
    async with store.engine.begin() as connection:
        await connection.execute(sa.insert(MEMORIES), values)


@dataclass(frozen=True)
class Rows:
    """What lies in the table: rows of alice, the first with ordinal 1,000; a neighbour's twins."""

    database: Database
    scope: Scope
    plain: list[Json]

    async def passing(self, tree: Json) -> set[int]:
        """Return the places of the rows that pass by SQL."""
        statement = passing(self.scope, Narrowing(node=parse_filters(tree)))
        async with self.database.transaction(
            tenant_id=self.scope.tenant_id, owner_id=self.scope.owner_id
        ) as session:
            found = set((await session.scalars(statement, {"now": LONG_AGO})).all())
        return {ordinal - 1_000 for ordinal in found - {1}}


@pytest.fixture
async def rows(store: Store) -> Rows:
    generator = random.Random(20260131)
    made = [_random_row(generator) for _ in range(60)]
    for who, first in (("alice", 1_000), ("neighbour", 5_000)):
        await store.remember("To make the owner.", user_id=who, infer="none")
        await _insert(store, await store.scope(who), first, made)
    return Rows(store.database, await store.scope(), [_typed(row) for row in made])


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tree=_filters)
async def test_sql_and_plain_evaluation_agree_and_no_other_owner_is_seen(
    rows: Rows, tree: Json
) -> None:
    expected = {place for place, row in enumerate(rows.plain) if passes(tree, row)}

    assert await rows.passing(tree) == expected
