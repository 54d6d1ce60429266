"""The form of answers: strict schemas, and JSON found in what a model wrote."""

import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from app.llm import schemas
from app.llm.errors import LlmAnswerError
from app.llm.kernel import answers


class Link(BaseModel):
    """A nested object."""

    target: int
    reason: str = ""


class Answer(BaseModel):
    """An answer with all that answers have."""

    kind: Literal["strengthen", "none"] = "none"
    links: list[Link] = Field(default_factory=list)
    best: Link | None = None


class Open(BaseModel):
    """An answer whose members have free names."""

    counts: dict[str, int]


def test_every_object_of_a_strict_schema_is_closed_and_whole() -> None:
    schema = schemas.json_schema(Answer)

    assert answers.is_strict(schema)
    assert schema["required"] == ["kind", "links", "best"]
    assert schema["$defs"]["Link"]["required"] == ["target", "reason"]
    assert schema["$defs"]["Link"]["additionalProperties"] is False
    assert "default" not in json.dumps(schema)


def test_a_schema_with_free_names_is_not_strict() -> None:
    assert not answers.is_strict(schemas.json_schema(Open))


def test_a_member_named_default_stays() -> None:
    class Odd(BaseModel):
        default: str

    assert list(schemas.json_schema(Odd)["properties"]) == ["default"]


MEMBERS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8), max_size=4)


@given(MEMBERS, st.sampled_from(["", "Sure: ", "```json\n", "<think>{a}</think>\n"]))
def test_an_object_is_found_whatever_stands_around_it(
    members: dict[str, object], before: str
) -> None:
    after = "\n```" if before.startswith("```") else " Anything else?"

    assert answers.json_object(before + json.dumps(members) + after) == members


@pytest.mark.parametrize(
    "text", ["", "no", "[1]", "{", '{"a": ', "{'a': 1}", "[" * 100_000, "{" * 9]
)
def test_what_is_no_object_is_none(text: str) -> None:
    assert answers.json_object(text) is None


@given(st.text(max_size=200))
def test_any_text_is_an_object_or_none(text: str) -> None:
    assert answers.json_object(text) in (None, {})


def test_an_error_names_the_form_and_no_text() -> None:
    with pytest.raises(LlmAnswerError) as caught:
        schemas.read('{"kind": "SECRET", "links": [{"SECRET": 1}]}', Answer)

    assert "Answer" in caught.value.detail
    assert "SECRET" not in caught.value.detail
    complaint = schemas.complaint(caught.value)
    assert "links.0.target: Field required" in complaint


def test_a_server_without_schemas_is_told_the_form_in_words() -> None:
    told = schemas.described(Answer)

    assert json.loads(told.partition("\n")[2]) == schemas.json_schema(Answer)


@given(st.text(max_size=100))
def test_an_estimate_of_tokens_is_never_under_a_third_of_the_bytes(text: str) -> None:
    assert answers.estimate_tokens(text) * 3 >= len(text.encode())
