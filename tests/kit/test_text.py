from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.kit.text import AwareTime, CleanText, ExternalId, Label, clean_json

_ID: TypeAdapter[str] = TypeAdapter(ExternalId)
_TEXT: TypeAdapter[str] = TypeAdapter(CleanText)
_LABEL: TypeAdapter[str] = TypeAdapter(Label)
_TIME: TypeAdapter[datetime] = TypeAdapter(AwareTime)


@pytest.mark.parametrize("name", ["a", "x" * 256, "a b", "ünï/côdé", "🙂", " padded ", "..."])
def test_an_id_is_kept_as_it_was_sent(name: str) -> None:
    assert _ID.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "\t", "\u2003", "x" * 257, "a\x00", "a\nb", "\x7f", "\ud800", ".", "..", 7]
)
def test_what_cannot_be_an_id_is_refused(name: object) -> None:
    with pytest.raises(ValidationError):
        _ID.validate_python(name)


@pytest.mark.parametrize("text", ["", "plain", "line\nbreak\ttab", "🙂" * 1000])
def test_a_text_is_kept_as_it_was_sent(text: str) -> None:
    assert _TEXT.validate_python(text) == text


@pytest.mark.parametrize("text", ["\x00", "é\x00", "\ud83d", "é\udc00x"])
def test_a_text_that_postgres_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        _TEXT.validate_python(text)
    with pytest.raises(ValidationError):
        _LABEL.validate_python(text)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("2026-01-31T09:30:00+01:00", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
        ("2026-01-31t09:30:00z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31 09:30:00.125Z", datetime(2026, 1, 31, 9, 30, 0, 125_000, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_time_with_offset_is_held_in_utc(sent: object, meant: datetime) -> None:
    held = _TIME.validate_python(sent)

    assert held == meant
    assert held.tzinfo is UTC


@pytest.mark.parametrize(
    "sent",
    [
        "2026-01-31T09:30:00",
        "2026-01-31",
        "yesterday",
        "1769850000",
        1_769_850_000,
        1.5,
        True,
        None,
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "2026-13-01T00:00:00Z",
        datetime(2026, 1, 31),  # noqa: DTZ001  -- the point of the case
    ],
)
def test_any_other_time_is_refused(sent: object) -> None:
    with pytest.raises(ValidationError):
        _TIME.validate_python(sent)


def test_json_may_be_as_deep_as_said_and_no_deeper() -> None:
    deep: dict[str, Any] = {"a": [{"b": 1}]}

    clean_json(deep, max_depth=3)
    clean_json("scalar", max_depth=0)
    with pytest.raises(ValueError, match="deeper than 2"):
        clean_json(deep, max_depth=2)


def test_json_nested_a_hundred_thousand_deep_is_refused_without_a_crash() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(ValueError, match="deeper"):
        clean_json(deep, max_depth=8)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "a\x00", "\ud800", {"k\x00": 1}, {"\udfff": 1}]
)
def test_json_that_postgres_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must not contain"):
        clean_json({"list": [value]}, max_depth=8)
