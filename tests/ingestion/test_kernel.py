from datetime import UTC, datetime, timedelta, timezone

from app.ingestion.kernel import content_digest, digest

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_order_of_members_does_not_matter_and_anything_else_does() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    others = [{"a": 1, "b": [2, 1]}, {"a": "1", "b": [1, 2]}, {"a": True, "b": [1, 2]}, {"a": 1}]
    assert len({digest(other) for other in [{"a": 1, "b": [1, 2]}, *others]}) == 5


def test_the_same_instant_has_one_content_digest() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert content_digest({"content": "x"}, NOON) == content_digest({"content": "x"}, east)
    later = NOON + timedelta(microseconds=1)
    assert content_digest({"content": "x"}, NOON) != content_digest({"content": "x"}, later)


def test_fields_do_not_run_into_one_another() -> None:
    one = content_digest({"name": "a", "content": "b"}, NOON)
    other = content_digest({"name": "ab", "content": ""}, NOON)
    assert one != other
