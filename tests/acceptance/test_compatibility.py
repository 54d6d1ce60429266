"""Each way to break a client is caught, and what breaks none is let through."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance import snapshot
from tests.acceptance.compatibility import Break, breaks, contract, owned

Json = dict[str, Any]
Change = Callable[[Json], object]

_DOCUMENT: Json = {
    "openapi": "3.1.0",
    "paths": {
        "/v1/things": {
            "post": {
                "operationId": "create_thing",
                "summary": "Make a thing.",
                "security": [{"bearer": ["write"]}],
                "parameters": [
                    {"in": "query", "name": "user_id", "schema": {"type": "string"}},
                    {
                        "in": "header",
                        "name": "once",
                        "required": True,
                        "schema": {"type": "string"},
                    },
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/New"}}
                    },
                },
                "responses": {
                    "201": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        }
                    },
                    "409": {"content": {"application/problem+json": {"schema": {}}}},
                },
            },
            "get": {
                "operationId": "list_things",
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Thing"},
                                }
                            }
                        }
                    }
                },
            },
        }
    },
    "components": {
        "schemas": {
            "New": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 200},
                    "kind": {"enum": ["fact", "thought"], "type": "string"},
                    "weight": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "parent": {"$ref": "#/components/schemas/New"},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id", "status"],
                "properties": {
                    "id": {"type": "string"},
                    "status": {"enum": ["new", "old"], "type": "string"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
        }
    },
}


def _post(document: Json) -> Json:
    operation: Json = document["paths"]["/v1/things"]["post"]
    return operation


def _schema(document: Json, name: str) -> Json:
    schema: Json = document["components"]["schemas"][name]
    return schema


def _new(document: Json) -> Json:
    members: Json = _schema(document, "New")["properties"]
    return members


def _thing(document: Json) -> Json:
    members: Json = _schema(document, "Thing")["properties"]
    return members


_BREAKING: dict[str, Change] = {
    "POST /v1/things is gone": lambda d: d["paths"]["/v1/things"].pop("post"),
    "is now called make_thing": lambda d: _post(d).update(operationId="make_thing"),
    "query parameter user_id is gone": lambda d: _post(d)["parameters"].pop(0),
    "query parameter user_id is required now": lambda d: _post(d)["parameters"][0].update(
        required=True
    ),
    "query parameter page is required now": lambda d: _post(d)["parameters"].append(
        {"in": "query", "name": "page", "required": True, "schema": {}}
    ),
    "query parameter user_id has maxLength 5 now": lambda d: _post(d)["parameters"][0][
        "schema"
    ].update(maxLength=5),
    "takes no body any more": lambda d: _post(d).pop("requestBody"),
    "takes no application/json any more": lambda d: _post(d)["requestBody"].update(
        content={"text/plain": {}}
    ),
    "response 409 is gone": lambda d: _post(d)["responses"].pop("409"),
    "response 201 is no longer application/json": lambda d: _post(d)["responses"]["201"].update(
        content={"text/plain": {}}
    ),
    "body.tags is gone": lambda d: _new(d).pop("tags"),
    "body.kind is required now": lambda d: _schema(d, "New").update(required=["kind", "name"]),
    "body.owner is required now": lambda d: (
        _new(d).update(owner={"type": "string"}),
        _schema(d, "New")["required"].append("owner"),
    ),
    "body.kind no longer takes thought": lambda d: _new(d)["kind"].update(enum=["fact"]),
    "body.name no longer takes string": lambda d: _new(d)["name"].update(type="integer"),
    "body.name has maxLength 20 now": lambda d: _new(d)["name"].update(maxLength=20),
    "body.name has pattern ^x now": lambda d: _new(d)["name"].update(pattern="^x"),
    "body.weight no longer takes null": lambda d: _new(d).update(weight={"type": "number"}),
    "body.tags[] no longer takes string": lambda d: _new(d)["tags"].update(
        items={"type": "boolean"}
    ),
    "response 201.note is gone": lambda d: _thing(d).pop("note"),
    "response 201.status is optional now": lambda d: _schema(d, "Thing").update(required=["id"]),
    "response 201.status now may hold lost": lambda d: _thing(d)["status"].update(
        enum=["new", "old", "lost"]
    ),
    "response 201.id now may hold integer": lambda d: _thing(d)["id"].update(
        type=["string", "integer"]
    ),
    "response 201.id now may hold null": lambda d: _thing(d).update(
        id={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
}

_HARMLESS: dict[str, Change] = {
    "another operation": lambda d: d["paths"].update({"/v1/others": {"get": {"operationId": "x"}}}),
    "another optional member of a request": lambda d: _new(d).update(size={"type": "integer"}),
    "another member of an answer": lambda d: _thing(d).update(size={"type": "integer"}),
    "another optional parameter": lambda d: _post(d)["parameters"].append(
        {"in": "query", "name": "page", "schema": {}}
    ),
    "another value of a request": lambda d: _new(d)["kind"]["enum"].append("summary"),
    "one value less in an answer": lambda d: _thing(d)["status"].update(enum=["new"]),
    "an answer that is never null": lambda d: _thing(d).update(note={"type": "string"}),
    "a request that may be null": lambda d: _new(d).update(
        name={"anyOf": [{"type": "string", "maxLength": 200}, {"type": "null"}]}
    ),
    "a wider bound": lambda d: _new(d)["name"].update(maxLength=500),
    "a bound less": lambda d: _new(d)["name"].pop("maxLength"),
    "a parameter that may be left out": lambda d: _post(d)["parameters"][1].pop("required"),
    "another response": lambda d: _post(d)["responses"].update({"404": {}}),
    "prose": lambda d: _post(d).update(summary="Create one.", description="…"),
    "a schema of another name": lambda d: (
        d["components"]["schemas"].update(Item=_schema(d, "Thing")),
        _post(d)["responses"]["201"]["content"]["application/json"].update(
            schema={"$ref": "#/components/schemas/Item"}
        ),
    ),
}


def _changed(change: Change) -> Json:
    document = copy.deepcopy(_DOCUMENT)
    change(document)
    return document


@pytest.mark.parametrize("reason", _BREAKING)
def test_a_break_is_caught(reason: str) -> None:
    found = breaks(_DOCUMENT, _changed(_BREAKING[reason]))

    assert Break("create_thing", reason) in found


@pytest.mark.parametrize("name", _HARMLESS)
def test_what_only_adds_or_widens_is_let_through(name: str) -> None:
    assert breaks(_DOCUMENT, _changed(_HARMLESS[name])) == []


def test_a_break_is_told_for_every_operation_that_shares_a_schema() -> None:
    found = breaks(_DOCUMENT, _changed(lambda d: _thing(d).pop("note")))

    assert {one.operation for one in found} == {"create_thing", "list_things"}


def test_only_the_unreleased_part_of_the_changelog_owns_breaks() -> None:
    changelog = """
## [Unreleased]
### Changed
- **Breaking**: create_thing wants a name.
- **Breaking**: `list_things` answers with pages.
- Breaking nothing: read_thing.

## [0.1.0]
- **Breaking**: erase_thing is gone.
"""

    assert owned(changelog) == {"create_thing", "list_things"}
    assert owned("") == set()


def test_the_baseline_keeps_what_clients_depend_on_and_no_prose() -> None:
    document = snapshot.document()

    kept = contract(document)

    assert breaks(document, kept) == breaks(kept, document) == []
    assert "title" in kept["components"]["schemas"]["Problem"]["properties"]
    operations = [one for path in kept["paths"].values() for one in path.values()]
    assert operations
    assert all("summary" not in one and "description" not in one for one in operations)


def test_each_operation_of_the_real_contract_is_missed_when_it_is_gone() -> None:
    document = contract(snapshot.document())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            less = copy.deepcopy(document)
            del less["paths"][path][method]

            found = breaks(document, less)

            assert [one.operation for one in found] == [operation["operationId"]]


def test_each_member_of_the_real_contract_is_missed_when_it_is_gone() -> None:
    document = contract(snapshot.document())
    for name, schema in document["components"]["schemas"].items():
        for member in schema.get("properties", {}):
            less = copy.deepcopy(document)
            del less["components"]["schemas"][name]["properties"][member]

            assert breaks(document, less), f"{name}.{member}"
