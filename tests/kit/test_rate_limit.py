import pytest

from app.kit.rate_limit import TokenBuckets


def test_a_bucket_starts_full_and_refills_evenly() -> None:
    buckets = TokenBuckets()

    first = [buckets.draw("a", per_minute=6, now_s=100).passes for _ in range(7)]
    early = buckets.draw("a", per_minute=6, now_s=109.9)
    later = buckets.draw("a", per_minute=6, now_s=110.1)

    assert first == [True] * 6 + [False]
    assert not early.passes
    assert early.retry_after_s == pytest.approx(0.1)
    assert later.passes


def test_unused_requests_are_saved_for_a_minute_at_most() -> None:
    buckets = TokenBuckets()
    buckets.draw("a", per_minute=2, now_s=0)

    passed = [buckets.draw("a", per_minute=2, now_s=10_000).passes for _ in range(3)]

    assert passed == [True, True, False]


def test_holders_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets()
    buckets.draw("a", per_minute=1, now_s=0)

    assert not buckets.draw("a", per_minute=1, now_s=0).passes
    assert buckets.draw("b", per_minute=1, now_s=0).passes


def test_idle_buckets_are_forgotten() -> None:
    buckets = TokenBuckets()
    for holder in range(10_001):
        buckets.draw(holder, per_minute=1, now_s=0)

    buckets.draw("late", per_minute=1, now_s=61)

    assert len(buckets._buckets) == 1


def test_headers_tell_what_is_left() -> None:
    allowance = TokenBuckets().draw("a", per_minute=60, now_s=0)

    assert allowance.headers() == {
        "RateLimit-Limit": "60",
        "RateLimit-Remaining": "59",
        "RateLimit-Reset": "1",
    }
