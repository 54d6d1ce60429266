"""The policies notice what they are there for."""

import ast

import pytest

from tests.policy import test_conventions, test_sql
from tests.policy.sources import Source


def _source(code: str, path: str = "app/memories/service.py") -> Source:
    return Source(path, code)


@pytest.mark.parametrize(
    "code",
    [
        "import sqlalchemy as sa\nx = sa.select(Memory)",
        "import sqlalchemy as sa\nx = sa.text('SELECT 1')",
        "import sqlalchemy\nx = sqlalchemy.delete(Memory)",
        "from sqlalchemy.dialects.postgresql import insert\nx = insert(Memory)",
        "from sqlalchemy import update as change\nx = change(Memory)",
        "x = '''\n  WITH held AS (SELECT 1)\n'''",
        "x = 'DELETE FROM memories'",
        "x = 'UPDATE memories SET content = NULL'",
    ],
)
def test_sql_is_seen_in_whatever_form(code: str) -> None:
    assert list(test_sql._statements(_source(code))) != []


@pytest.mark.parametrize(
    "code",
    [
        "'''SELECT in a docstring is prose.'''",
        "x = 'Select what you like'",
        "i = sa.Index('i', postgresql_where=sa.text('expires_at IS NOT NULL'))",
        "x = rows.insert(session, scope)",
    ],
)
def test_prose_and_predicates_of_indexes_are_not_taken_for_sql(code: str) -> None:
    assert list(test_sql._statements(_source("import sqlalchemy as sa\n" + code))) == []


@pytest.mark.parametrize(
    "code",
    [
        "x = f'SELECT * FROM {table}'",
        "x = f'{head} DELETE FROM memories'",
        "x = 'SELECT * FROM ' + table",
        "x = 'SELECT * FROM %s' % table",
        "x = 'SELECT * FROM {}'.format(table)",
    ],
)
def test_sql_put_together_from_texts_is_seen(code: str) -> None:
    assert list(test_sql._spliced(_source(code))) != []


def test_quoting_by_the_driver_is_fine() -> None:
    code = "x = sql.SQL('CREATE DATABASE {}').format(sql.Identifier(name))"

    assert list(test_sql._spliced(_source(code))) == []


@pytest.mark.parametrize(
    ("signature", "is_scoped"),
    [
        ("session: AsyncSession, scope: Scope", True),
        ("session: AsyncSession, tenant_id: UUID, *, limit: int", True),
        ("session: AsyncSession, memory_id: UUID", False),
        ("session: AsyncSession, limit: int, scope: Scope", False),
        ("session: AsyncSession, *, tenant_id: UUID", False),
        ("session: AsyncSession", False),
    ],
)
def test_a_query_is_scoped_when_the_scope_follows_the_session(
    signature: str, is_scoped: bool
) -> None:
    function = next(_source(f"async def find({signature}): ...").functions())

    assert test_sql._takes_session(function)
    assert test_sql._is_scoped(function) is is_scoped


def test_tables_are_seen_in_statements_tables_and_classes() -> None:
    code = (
        "from app.tenants.models import Owner\nimport sqlalchemy as sa\n"
        "a = sa.table('sessions')\nb = 'SELECT 1 FROM memories JOIN jobs USING (id)'"
    )

    named = test_sql._named_tables(_source(code))

    assert {"owners", "sessions", "memories", "jobs"} <= named


@pytest.mark.parametrize(
    ("clause", "catches_all"),
    [
        ("except:", True),
        ("except Exception:", True),
        ("except (ValueError, BaseException):", True),
        ("except ValueError:", False),
        ("except* ValueError:", False),
    ],
)
def test_catching_everything_is_seen(clause: str, catches_all: bool) -> None:
    tree = ast.parse(f"try:\n    pass\n{clause}\n    pass")
    handler = next(node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))

    assert test_conventions._catches_all(handler) is catches_all


@pytest.mark.parametrize(
    ("claim", "is_empty"),
    [
        ("True", True),
        ("(x == 1, 'a message')", True),
        ("x or True", True),
        ("x == x", True),
        ("'text'", True),
        ("x", False),
        ("x == y", False),
        ("next(x) == next(x)", False),
        ("False", False),
    ],
)
def test_an_assertion_that_always_holds_is_seen(claim: str, is_empty: bool) -> None:
    assert test_conventions._is_empty_claim(ast.parse(claim, mode="eval").body) is is_empty
