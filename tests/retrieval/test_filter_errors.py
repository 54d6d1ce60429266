"""A filter that is wrong is refused with the path of the offending node."""

from typing import Any

import pytest

from app.retrieval.kernel.filters import MAX_DEPTH, MAX_LIST, MAX_NODES, FilterError, parse
from tests.api import code_of
from tests.memories.helpers import Store

WRONG: dict[str, tuple[object, str]] = {
    "a list": ([], "filters"),
    "nothing": ({}, "filters"),
    "unknown field": ({"colour": {"eq": 1}}, "filters.colour"),
    "a column that is not for filters": ({"owner_id": {"eq": 1}}, "filters.owner_id"),
    "metadata as a whole": ({"metadata": {"eq": {}}}, "filters.metadata"),
    "an empty step": ({"metadata..a": {"eq": 1}}, "filters.metadata..a"),
    "a step below a column": ({"role.x": {"eq": "a"}}, "filters.role.x"),
    "no operator": ({"role": "user"}, "filters.role"),
    "no operators": ({"role": {}}, "filters.role"),
    "unknown operator": ({"role": {"like": "u%"}}, "filters.role.like"),
    "SQL for an operator": ({"role": {"= '' OR 1=1 --": 1}}, "filters.role.= '' OR 1=1 --"),
    "a number for a text": ({"role": {"eq": 1}}, "filters.role.eq"),
    "null for a text": ({"role": {"eq": None}}, "filters.role.eq"),
    "a text for a number": ({"importance": {"gt": "1"}}, "filters.importance.gt"),
    "a boolean for a number": ({"importance": {"eq": True}}, "filters.importance.eq"),
    "NaN": ({"importance": {"gt": float("nan")}}, "filters.importance.gt"),
    "a number for a boolean": ({"pinned": {"eq": 1}}, "filters.pinned.eq"),
    "an order of booleans": ({"pinned": {"gt": True}}, "filters.pinned.gt"),
    "an order of ids": ({"id": {"lt": "x"}}, "filters.id.lt"),
    "no id": ({"id": {"eq": "x"}}, "filters.id.eq"),
    "no time": ({"occurred_at": {"lt": "noon"}}, "filters.occurred_at.lt"),
    "a time without offset": (
        {"occurred_at": {"gte": "2026-01-31T09:00:00"}},
        "filters.occurred_at.gte",
    ),
    "a day": ({"created_at": {"gte": "2026-01-31"}}, "filters.created_at.gte"),
    "a time that contains": (
        {"occurred_at": {"contains": "2026-01-31T09:00:00Z"}},
        "filters.occurred_at.contains",
    ),
    "exists perhaps": ({"role": {"exists": "yes"}}, "filters.role.exists"),
    "in a text": ({"role": {"in": "user"}}, "filters.role.in"),
    "in nothing": ({"role": {"nin": []}}, "filters.role.nin"),
    "in a wrong list": ({"role": {"in": ["a", 1]}}, "filters.role.in[1]"),
    "an order of lists": ({"metadata.a": {"gt": [1]}}, "filters.metadata.a.gt"),
    "an order of nulls": ({"metadata.a": {"lte": None}}, "filters.metadata.a.lte"),
    "and of an object": ({"and": {"role": {"eq": "a"}}}, "filters.and"),
    "or of nothing": ({"or": []}, "filters.or"),
    "not of a list": ({"not": [{"role": {"eq": "a"}}]}, "filters.not"),
    "deep inside": (
        {"and": [{"role": {"eq": "a"}}, {"or": [{"not": {"role": {"is": "a"}}}]}]},
        "filters.and[1].or[0].not.role.is",
    ),
    "NUL in a text": ({"role": {"eq": "\x00"}}, "filters.role.eq"),
    "half a character in a text": ({"name": {"contains": "\ud800"}}, "filters.name.contains"),
    "NUL in a path": ({"metadata.\x00": {"eq": 1}}, "filters.metadata.\x00"),
    "half a character in a path": ({"metadata.\udc00": {"eq": 1}}, "filters.metadata.\udc00"),
    "NUL in metadata": ({"metadata.a": {"eq": ["\x00"]}}, "filters.metadata.a.eq"),
    "NUL in a key": ({"metadata.a": {"contains": {"\x00": 1}}}, "filters.metadata.a.contains"),
    "half a character in a list": ({"metadata.a": {"in": ["\ud800"]}}, "filters.metadata.a.in[0]"),
    "infinity in metadata": ({"metadata.a": {"eq": float("inf")}}, "filters.metadata.a.eq"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_error_names_its_node(name: str) -> None:
    tree, path = WRONG[name]

    with pytest.raises(FilterError) as caught:
        parse(tree)

    assert caught.value.path == path
    assert caught.value.reason


@pytest.mark.pg
async def test_over_http_each_is_a_422_that_says_where(store: Store) -> None:
    await store.remember("Words.")
    for route in ("recall", "context"):
        for name, (tree, path) in WRONG.items():
            if isinstance(tree, dict):
                body = {"query": "words", "user_id": "alice", "filters": tree}
                answer = await store.send("POST", f"/v1/{route}", body)

                assert answer.status_code == 422, name
                assert code_of(answer) == "invalid-filter", name
                assert answer.json()["path"] == path, name


def _nested(depth: int, word: str) -> dict[str, Any]:
    tree: dict[str, Any] = {"role": {"eq": "a"}}
    for _ in range(depth - 1):
        tree = {"not": tree} if word == "not" else {word: [tree]}
    return tree


@pytest.mark.parametrize("word", ["and", "or", "not"])
def test_depth_nodes_and_lists_have_limits(word: str) -> None:
    parse(_nested(MAX_DEPTH, word))
    with pytest.raises(FilterError, match="levels deep"):
        parse(_nested(MAX_DEPTH + 1, word))
    with pytest.raises(FilterError, match="levels deep"):
        parse(_nested(400, word))
    with pytest.raises(FilterError, match="nodes"):
        parse({"or": [{"role": {"eq": "a"}}] * MAX_NODES})
    with pytest.raises(FilterError, match="list"):
        parse({"role": {"in": ["a"] * (MAX_LIST + 1)}})


def test_values_are_not_nested_without_end() -> None:
    value: Any = 1
    for _ in range(900):
        value = [value]
    with pytest.raises(FilterError, match="nested"):
        parse({"metadata.a": {"eq": value}})


@pytest.mark.pg
async def test_the_largest_filters_that_are_allowed_are_answered(store: Store) -> None:
    await store.remember({"content": "Words.", "role": "user", "metadata": {"n": 10**400}})
    many = [f"role{number}" for number in range(MAX_LIST)]
    large = {
        "and": [
            *[{"role": {"nin": many}}] * 4,
            *[{"metadata.n": {"nin": many}}] * 4,
            {"importance": {"exists": False}},
            {"not": {"importance": {"gt": 10**400}}},
            {"metadata.n": {"gte": 10**400}},
        ]
    }

    assert await store.found("words", filters=large) == ["Words."]
