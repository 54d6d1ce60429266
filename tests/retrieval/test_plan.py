"""How Postgres carries out the recall statement: by keys alone, for any owner, in any mode."""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.interfaces import DBAPICursor

from app.retrieval.kernel.candidates import Candidate
from app.retrieval.repository import recall
from app.retrieval.repository.recall import DensePath
from tests.memories.helpers import Json, Store
from tests.retrieval.helpers import WORDS, recalls_with

pytestmark = pytest.mark.pg

KEYS = 3_000

# An owner of 3,000 keys among others, written past the api: fast, and vacuumed at once.
_FILL = (
    """
    INSERT INTO memories (owner_id, tenant_id, ordinal, id, kind, content, session_id, occurred_at,
        created_at, updated_at, metadata)
    SELECT o.owner_id, o.tenant_id, n, gen_random_uuid(), 'episode', 'content ' || n, 's' || n % 7,
        now(), now(), now(), '{}'
    FROM owners o, generate_series(2, :keys) n WHERE o.tenant_id = :tenant_id
    """,
    """
    INSERT INTO memory_keys (owner_id, ordinal, memory_ordinal, key_kind, start, stop, lexemes)
    SELECT owner_id, ordinal, ordinal, 'value', 0, 10, '{}' FROM memories WHERE ordinal > 1
    """,
    """
    INSERT INTO postings (owner_id, lexeme, key_ordinal, tf, dl)
    SELECT m.owner_id, stem, m.ordinal, 1, 12
    FROM memories m, unnest(CAST(:stems AS text[])) WITH ORDINALITY AS s (stem, rank)
    WHERE m.ordinal > 1 AND hashint8(m.ordinal * 1000 + rank) % (rank + 1) = 0
    """,
    """
    INSERT INTO embeddings_1 (owner_id, key_ordinal, vector)
    SELECT owner_id, ordinal, (
        SELECT CAST(array_agg(sin(ordinal * d)) AS halfvec(64)) FROM generate_series(1, 64) d)
    FROM memories WHERE ordinal > 1
    """,
    """
    INSERT INTO embedding_bits_1 (owner_id, key_ordinal, bits)
    SELECT owner_id, key_ordinal, binary_quantize(vector) FROM embeddings_1 WHERE key_ordinal > 1
    """,
    "UPDATE owner_stats SET keys = :keys, sum_dl = 12 * :keys",
)


@dataclass(frozen=True)
class Plan:
    """A plan, flattened: every node with the table that it reads."""

    nodes: list[Json]

    @classmethod
    def of(cls, root: Json) -> "Plan":
        return cls(list(_walk(root)))

    def reading(self, table: str) -> list[Json]:
        return [node for node in self.nodes if node.get("Relation Name") == table]


def _walk(node: Json) -> Iterator[Json]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


@dataclass
class Explainer:
    """Catches the recall statement on its way to the database, and has it explained."""

    store: Store
    statement: str = ""
    parameters: Any = None

    def catch(
        self, _1: object, _2: DBAPICursor, statement: str, parameters: object, *_: object
    ) -> None:
        if "fused AS MATERIALIZED" in statement and not statement.startswith("EXPLAIN"):
            self.statement, self.parameters = statement, parameters

    async def plan(self, query: str, **more: object) -> Plan:
        """Return the plan of a recall for its own values."""
        await self.store.recall(query, **more)  # type: ignore[arg-type]
        return await self._explain("EXPLAIN (FORMAT JSON) " + self.statement, self.parameters)

    async def generic_plan(self) -> Plan:
        """Return the plan of the last recall for any values: that of a prepared statement."""
        names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", self.statement)))
        numbered = self.statement
        for number, name in enumerate(names, start=1):
            numbered = numbered.replace(f"%({name})s", f"${number}")
        return await self._explain("EXPLAIN (GENERIC_PLAN, FORMAT JSON) " + numbered, None)

    async def _explain(self, statement: str, parameters: object) -> Plan:
        scope = await self.store.scope()
        async with self.store.database.transaction(
            tenant_id=scope.tenant_id, owner_id=scope.owner_id
        ) as session:
            connection = await session.connection()
            if parameters is None:
                statement = statement.replace("%", "%%")
            found = (await connection.exec_driver_sql(statement, parameters)).scalar_one()  # type: ignore[arg-type]
        explained = found if isinstance(found, list) else json.loads(found)
        return Plan.of(explained[0]["Plan"])


@pytest.fixture
async def explainer(fresh: Store) -> AsyncGenerator[Explainer]:
    """A store of several owners of 3,000 keys each, after VACUUM ANALYZE."""
    fresh.embedder.dimensions = 64
    for who in ("alice", "bob", "carol"):
        await fresh.remember("The first.", user_id=who, infer="none")
    stems = (await fresh.rows("SELECT tsvector_to_array(to_tsvector(:w))", w=" ".join(WORDS)))[0]
    for statement in _FILL:
        await fresh.rows(statement, keys=KEYS, tenant_id=fresh.tenant_id, stems=stems[0])
    async with fresh.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.exec_driver_sql("VACUUM ANALYZE")
    found = Explainer(fresh)
    engine = fresh.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", found.catch)
    yield found
    sa.event.remove(engine, "before_cursor_execute", found.catch)


def _assert_by_key(plan: Plan, dense: str) -> None:
    postings = plan.reading("postings")
    assert postings
    for node in postings:
        assert node["Node Type"] == "Index Only Scan"
        assert node["Index Name"] == "pk_postings"
        condition = node["Index Cond"]
        assert "owner_id" in condition
        assert "lexeme" in condition
    vectors = plan.reading("embeddings_1")
    assert vectors
    if dense == "bits":
        (bits,) = plan.reading("embedding_bits_1")
        assert bits["Node Type"] == "Index Only Scan"
        assert all("key_ordinal" in node["Index Cond"] for node in vectors)
    else:
        assert plan.reading("embedding_bits_1") == []
    for table in ("postings", "embeddings_1", "embedding_bits_1", "memories", "memory_keys"):
        assert "Seq Scan" not in {node["Node Type"] for node in plan.reading(table)}


async def test_recall_reads_by_key_and_never_a_whole_table(explainer: Explainer) -> None:
    await explainer.store.rows("UPDATE embedding_models SET uses_bits = true")
    await explainer.store.spaces._read()
    for dense, exact_below in (("exact", 1_000_000), ("bits", 0)):
        recalls_with(explainer.store, exact_below=exact_below)

        _assert_by_key(await explainer.plan("garden music and cats"), dense)
        _assert_by_key(await explainer.generic_plan(), dense)
        narrowed = await explainer.plan("garden music and cats", session_id="s1")
        _assert_by_key(narrowed, dense)


@pytest.mark.parametrize("path", ["bits", "hnsw"])
async def test_a_large_owners_recall_reads_by_key(explainer: Explainer, path: str) -> None:
    await explainer.store.rows("UPDATE embedding_models SET uses_bits = true")
    await explainer.store.spaces._read()
    from_ = 1 if path == "hnsw" else 1_000_000
    recalls_with(explainer.store, exact_below=0, maxscore_from=0, hnsw_from=from_)

    for plan in (
        await explainer.plan("garden music and cats"),
        await explainer.generic_plan(),
    ):
        tables = ("postings", "embeddings_1", "embedding_bits_1", "memories", "memory_keys")
        for table in tables:
            assert "Seq Scan" not in {node["Node Type"] for node in plan.reading(table)}, table
        for node in plan.reading("postings"):
            assert node["Node Type"] == "Index Only Scan"
            assert "lexeme" in node["Index Cond"]
        for node in plan.reading("embedding_bits_1"):
            assert node["Node Type"] == "Index Only Scan"
            assert ("key_ordinal" in node["Index Cond"]) == (path == "hnsw")


async def test_the_index_of_neighbours_answers_by_itself(explainer: Explainer) -> None:
    store = explainer.store
    await store.rows("SELECT add_hnsw(1)")
    await store.rows("INSERT INTO embedding_hnsw_1 SELECT * FROM embeddings_1")
    scope = await store.scope()
    vector = "(SELECT vector FROM embeddings_1 WHERE key_ordinal = 7 LIMIT 1)"
    async with store.database.transaction(
        tenant_id=scope.tenant_id, owner_id=scope.owner_id
    ) as session:
        connection = await session.connection()
        for name in ("enable_sort", "enable_seqscan", "enable_bitmapscan"):  # as the function does
            await connection.exec_driver_sql(f"SET LOCAL {name} = off")
        statement = (
            f"EXPLAIN SELECT key_ordinal FROM embedding_hnsw_1 WHERE owner_id = {scope.owner_id} "
            f"ORDER BY vector <=> {vector} LIMIT 100"
        )
        plan = "\n".join(row[0] for row in await connection.exec_driver_sql(statement))

    assert re.search(r"Index Scan using embedding_hnsw_1_\d+_vector_idx", plan), plan
    assert plan.count("Index Scan using embedding_hnsw_1_") == 1, plan


async def test_a_recall_that_fills_its_depth_stays_quick(explainer: Explainer) -> None:
    recalled = await explainer.store.recall("cat dog garden music river", limit=200)

    assert len(recalled["hits"]) == 200
    # Some twenty times what it takes on an idle machine: this guards against a lost index.
    assert recalled["took_ms"] < 1_000


def test_a_row_of_the_statement_is_a_candidate_member_by_member() -> None:
    members = list(Candidate._fields)
    columns = [column.name for column in recall._COLUMNS]

    assert columns == members[: len(columns)]


@pytest.mark.parametrize("dense", ["exact", "bits", "none"])
def test_the_driver_remembers_how_to_send_a_recall(dense: DensePath) -> None:
    statement = recall._text(dense, 1, (), is_filtered=False, with_tokens=dense != "none")

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    sent = str(statement.compile(dialect=dialect))

    assert len(sent) <= MAX_CACHED_STATEMENT_LENGTH
