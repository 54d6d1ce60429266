"""Clusters: Ward's linkage, what is kept, who joins, what merges, how sure we are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.embeddings.fake import FakeEmbedder
from app.profiles.kernel import clusters
from app.profiles.kernel.clusters import OUTLIER, PAPER, Labels, Points
from app.profiles.service import calibration


def blobs(*sizes: int, spread: float = 0.05, dimensions: int = 8) -> Points:
    """Return one Gaussian blob per size around unit vectors, far apart."""
    chance = np.random.default_rng(3)
    parts = [
        np.eye(dimensions)[i] + spread * chance.standard_normal((size, dimensions))
        for i, size in enumerate(sizes)
    ]
    return np.concatenate(parts).astype(np.float32)


def naive_ward(points: Points, cut: float) -> Labels:
    """Merge the two clusters with the least height until none is within the cut."""
    groups = [[i] for i in range(len(points))]
    while len(groups) > 1:
        height, a, b = min(
            (_height(points[groups[i]], points[groups[j]]), i, j)
            for i in range(len(groups))
            for j in range(i + 1, len(groups))
        )
        if height > cut:
            break
        groups[a] += groups.pop(b)
    labels = np.zeros(len(points), np.int64)
    for number, group in enumerate(sorted(groups, key=min)):
        labels[group] = number
    return labels


def _height(a: Points, b: Points) -> float:
    factor = np.sqrt(2 * len(a) * len(b) / (len(a) + len(b)))
    return float(factor * np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)))


@pytest.mark.parametrize("count", [1, 2, 3, 17, 31])
@pytest.mark.parametrize("cut", [0.4, 1.5, 3.0])
def test_ward_agrees_with_the_naive_way(count: int, cut: float) -> None:
    points = np.random.default_rng(count).standard_normal((count, 5)).astype(np.float32)

    assert clusters.ward(points, cut).tolist() == naive_ward(points, cut).tolist()


def test_equal_points_are_one_cluster() -> None:
    points = np.ones((12, 4), np.float32)

    assert set(clusters.ward(points, 0.5).tolist()) == {0}


def test_a_cluster_below_the_root_of_the_largest_is_outliers() -> None:
    labels = clusters.cluster(blobs(25, 9, 4), PAPER)

    assert sorted(np.bincount(labels[labels != OUTLIER]).tolist()) == [7, 20]
    assert set(labels[34:].tolist()) == {OUTLIER}


def test_of_a_cluster_the_nearest_four_fifths_stay() -> None:
    points = blobs(25)

    kept = clusters.nearest_share(points)

    distance = np.linalg.norm(points - points.mean(axis=0), axis=1)
    assert len(kept) == 20
    assert distance[kept].max() <= np.delete(distance, kept).min()


@pytest.mark.parametrize("size", [2, 3])
def test_no_topic_is_cut_to_a_single_memory(size: int) -> None:
    assert len(clusters.nearest_share(blobs(size))) == 2


def test_outliers_are_measured_by_the_largest_cluster_there_is() -> None:
    labels = clusters.cluster(blobs(4), PAPER, largest=25)

    assert set(labels.tolist()) == {OUTLIER}


def test_a_single_memory_is_no_topic() -> None:
    assert clusters.cluster(blobs(1), PAPER).tolist() == [OUTLIER]


def test_no_points_make_no_clusters() -> None:
    assert len(clusters.cluster(np.zeros((0, 4), np.float32), PAPER)) == 0


@pytest.mark.parametrize(("apart", "merges"), [(0.4, [[0, 1]]), (0.6, [])])
def test_centres_merge_when_they_are_near(apart: float, merges: list[list[int]]) -> None:
    centers = np.array([[0, 0, 1], [apart, 0, 1]], np.float32)

    assert clusters.components(centers, PAPER.merge) == merges


def test_merging_goes_along_chains() -> None:
    centers = np.array([[0.0], [0.4], [0.8], [9.0]], np.float32)

    assert clusters.components(centers, PAPER.merge) == [[0, 1, 2]]


def test_a_merged_centre_is_the_mean_weighted_by_size() -> None:
    found = clusters.weighted_center(np.array([[0, 0], [1, 1]], np.float32), [3, 1])

    assert found.tolist() == [0.25, 0.25]


def test_a_point_joins_the_nearest_centre_within_reach() -> None:
    centers = np.array([[0, 0], [1, 0]], np.float32)
    points = np.array([[0.1, 0], [0.7, 0], [0.5, 2]], np.float32)

    places, distances = clusters.assign(points, centers, PAPER.join)

    assert places.tolist() == [0, 1, OUTLIER]
    np.testing.assert_allclose(distances[:2], [0.1, 0.3], atol=1e-6)


def test_nothing_joins_where_there_is_nothing() -> None:
    places, _ = clusters.assign(np.ones((2, 3), np.float32), np.zeros((0, 3), np.float32), 1.0)

    assert places.tolist() == [OUTLIER, OUTLIER]


def test_five_shades_have_five_levels_of_confidence() -> None:
    assert clusters.confidences([50, 40, 30, 20, 10]) == [5, 4, 3, 2, 1]
    assert clusters.confidences([10, 50, 30, 20, 40]) == [1, 5, 3, 2, 4]


@given(st.lists(st.integers(1, 1000), max_size=40))
def test_confidence_is_between_one_and_five_and_grows_with_size(sizes: list[int]) -> None:
    levels = clusters.confidences(sizes)

    assert all(1 <= level <= 5 for level in levels)
    pairs = sorted(zip(sizes, levels, strict=True))
    assert [level for _, level in pairs] == sorted(levels) or len(set(sizes)) < len(sizes)


def test_a_topic_goes_on_where_most_of_its_members_went() -> None:
    old = [frozenset({1, 2, 3, 4}), frozenset({5, 6})]
    new = [frozenset({5, 6, 7}), frozenset({1, 2, 3}), frozenset({8, 9})]

    assert clusters.continuations(old, new) == {0: 1, 1: 0}


def test_what_all_points_share_is_taken_away() -> None:
    common = np.array([5, 0, 0], np.float32)
    points = common + np.array([[0, 1, 0], [0, -1, 0]], np.float32)

    left = clusters.centered(points, common)

    assert left.tolist() == [[0, 1, 0], [0, -1, 0]]


def _topics(inside: float) -> tuple[Points, NDArray[np.int64]]:
    points = blobs(6, 6, 6, spread=inside, dimensions=16)
    centered = clusters.centered(points, points.mean(axis=0))
    return centered, np.repeat(np.arange(3), 6)


def test_calibrated_thresholds_tell_known_topics_apart() -> None:
    points, topics = _topics(0.1)

    found = clusters.calibrated(points, topics)

    assert len(set(clusters.ward(points, 0.9 * found.cut).tolist())) == 3
    assert found.merge < found.join < found.cut


def test_looser_topics_get_wider_thresholds() -> None:
    tight, loose = (clusters.calibrated(*_topics(spread)) for spread in (0.05, 0.25))

    assert tight.join < loose.join
    assert tight.merge < loose.merge


async def test_the_embedder_in_use_is_calibrated_by_the_reference_sentences() -> None:
    measure = await calibration.calibrate(FakeEmbedder())

    found = measure.thresholds
    assert measure.mean.shape == (384,)
    assert 0 < found.merge < found.join < found.cut < 3


async def test_each_embedder_is_calibrated_once() -> None:
    known, first, second = calibration.Calibrations(), FakeEmbedder(), FakeEmbedder(model="other")

    one, again = await known.of(first), await known.of(first)
    await known.of(second)

    assert one is again
    assert (first.requests, second.requests) == (1, 1)
