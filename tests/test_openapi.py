"""The api's contract: held to its snapshot, complete, and kept for those who rely on it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import snapshot
from tests.acceptance.compatibility import METHODS, breaks, owned

_ROOT = Path(__file__).parents[1]

SELF_EVIDENT = {"content", "hits", "id", "query", "text", "title"}
"""Names of members that need no description."""

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    return snapshot.document()


def _operations(document: Json) -> Iterator[Json]:
    for path in document["paths"].values():
        yield from (path[method] for method in METHODS if method in path)


def test_the_document_is_the_snapshot(document: Json) -> None:
    """When a change is meant: run scripts/openapi, and look at the difference."""
    assert document == json.loads((snapshot.REFERENCE / "openapi.json").read_text())


def test_nothing_breaks_clients_unless_the_changelog_owns_it(document: Json) -> None:
    """When a break is meant: `- **Breaking**: <operationId> …` under [Unreleased]."""
    baseline = json.loads((snapshot.REFERENCE / "openapi-baseline.json").read_text())
    changelog = _ROOT / "CHANGELOG.md"
    owning = owned(changelog.read_text() if changelog.exists() else "")

    found = [one for one in breaks(baseline, document) if one.operation not in owning]

    assert found == []


def test_every_operation_is_named_once_and_explained(document: Json) -> None:
    operations = list(_operations(document))

    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert {"create_key", "list_users", "erase_user", "ready"} <= set(names)
    for operation in operations:
        assert operation["summary"], operation["operationId"]
        assert operation["description"].endswith((".", "`")), operation["operationId"]
        assert operation["tags"], operation["operationId"]


def test_every_request_body_has_an_example(document: Json) -> None:
    for operation in _operations(document):
        if "requestBody" not in operation:
            continue
        (media,) = operation["requestBody"]["content"].values()
        schema = media["schema"]
        named = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert named.get("examples") or media.get("examples"), operation["operationId"]


def test_every_failure_is_a_problem_with_an_example_of_each_code(document: Json) -> None:
    for operation in _operations(document):
        failures = {code: one for code, one in operation["responses"].items() if code >= "400"}
        expected = {"500", "503"}
        expected |= {"401", "403", "429"} if "security" in operation else set()
        expected |= {"413", "415", "422"} if "requestBody" in operation else set()
        assert expected <= failures.keys(), operation["operationId"]
        for status, failure in failures.items():
            assert list(failure["content"]) == ["application/problem+json"]
            content = failure["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            for code, example in content["examples"].items():
                assert example["value"]["code"] == code
                assert str(example["value"]["status"]) == status


def test_every_answer_says_of_what_type_it_is(document: Json) -> None:
    for operation in _operations(document):
        for status, response in operation["responses"].items():
            assert status == "204" or response["content"], (operation["operationId"], status)


def test_every_member_and_parameter_is_described_where_its_name_does_not_say_enough(
    document: Json,
) -> None:
    members = {
        f"{schema}.{name}": member
        for schema, found in document["components"]["schemas"].items()
        for name, member in found.get("properties", {}).items()
        if name not in SELF_EVIDENT
    }
    parameters = {
        f"{operation['operationId']}?{parameter['name']}": parameter
        for operation in _operations(document)
        for parameter in operation.get("parameters", ())
    }

    places = members | parameters
    assert [name for name, place in places.items() if not place.get("description")] == []


def test_every_schema_is_described(document: Json) -> None:
    schemas = document["components"]["schemas"]
    pages = {name for name in schemas if name.startswith("Page_")}

    assert {name for name, one in schemas.items() if not one.get("description")} <= pages


def test_nothing_in_the_document_comes_from_where_it_was_made(document: Json) -> None:
    text = json.dumps(document)

    assert "localhost" not in text
    assert str(_ROOT) not in text


def test_nothing_in_the_document_is_of_the_frameworks_own_errors(document: Json) -> None:
    assert "HTTPValidationError" not in json.dumps(document)
    assert set(document["components"]["securitySchemes"]) == {"bearer", "api_key"}
