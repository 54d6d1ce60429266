"""Buckets: the table of same-bucket probabilities, exact duplicates, several probes, one seed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.thoughts.kernel import lsh

Array = NDArray[np.float32]

COSINES = (0.95, 0.9, 0.8, 0.7, 0.5, 0.0)
TABLE = {
    4: (0.817, 0.733, 0.645, 0.551, 0.439, 0.245),
    8: (0.758, 0.675, 0.548, 0.443, 0.307, 0.117),
    16: (0.706, 0.595, 0.436, 0.359, 0.234, 0.072),
    64: (0.614, 0.499, 0.355, 0.254, 0.118, 0.012),
}
"""How often two vectors of 384 dimensions share a bucket, by buckets and cosine."""
DIMENSIONS = 384


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def pairs(count: int, cosine: float, seed: int = 1) -> tuple[Array, Array]:
    """Return pairs of random unit vectors with this cosine."""
    generator = np.random.default_rng(seed)
    one = unit(generator.standard_normal((count, DIMENSIONS)))
    away = generator.standard_normal((count, DIMENSIONS))
    away = unit(away - (away * one).sum(axis=1, keepdims=True) * one)
    other = cosine * one + np.sqrt(1 - cosine**2) * away
    return one.astype(np.float32), other.astype(np.float32)


@pytest.mark.parametrize("buckets", TABLE)
@pytest.mark.parametrize("column", range(len(COSINES)))
def test_near_vectors_share_a_bucket_as_often_as_the_table_says(buckets: int, column: int) -> None:
    one, other = pairs(2_000, COSINES[column])
    directed = lsh.directions(0, DIMENSIONS, buckets)

    share = float(np.mean(lsh.bucket_of(one, directed) == lsh.bucket_of(other, directed)))

    assert share == pytest.approx(TABLE[buckets][column], abs=0.04)


def test_the_bucket_is_the_argmax_of_the_projections_and_their_negatives() -> None:
    vectors, _ = pairs(63, 0)
    directed = lsh.directions(3, DIMENSIONS, 8)

    naive = []
    for vector in vectors:
        projected = [float(np.dot(vector, directed[:, column])) for column in range(4)]
        both = [*projected, *(-value for value in projected)]
        naive.append(max(range(8), key=lambda bucket: both[bucket]))

    assert list(lsh.bucket_of(vectors, directed)) == naive


def test_a_duplicate_is_always_in_the_first_bucket() -> None:
    vectors, _ = pairs(500, 0)
    directed = lsh.directions(0, DIMENSIONS, lsh.BUCKETS)

    found = [lsh.probe_order(vector, directed)[0] for vector in vectors]

    assert found == list(lsh.bucket_of(vectors, directed))


def test_the_default_probes_find_nine_of_ten_neighbours_at_cosine_point_eight() -> None:
    queries, stored = pairs(2_000, 0.8)
    directed = lsh.directions(0, DIMENSIONS, lsh.BUCKETS)
    buckets = lsh.bucket_of(stored, directed)

    orders = [lsh.probe_order(query, directed)[: lsh.PROBES] for query in queries]
    recall = np.mean([bucket in order for bucket, order in zip(buckets, orders, strict=True)])

    assert lsh.PROBES < lsh.BUCKETS == 16
    assert recall >= 0.9


def test_every_bucket_is_probed_once() -> None:
    vectors, _ = pairs(1, 0)

    order = lsh.probe_order(vectors[0], lsh.directions(0, DIMENSIONS, 16))

    assert sorted(order) == list(range(16))


def test_a_seed_means_the_same_directions_for_ever() -> None:
    directed = lsh.directions(7, 3, 4)

    expected = [[-0.40062684, 1.3010331], [1.1480024, 0.108715], [0.641502, -1.1395884]]
    np.testing.assert_allclose(directed, expected, atol=1e-6)


def test_directions_are_standard_normal() -> None:
    directed = lsh.directions(11, DIMENSIONS, 64)

    assert directed.shape == (DIMENSIONS, 32)
    assert abs(float(directed.mean())) < 0.03
    assert float(directed.std()) == pytest.approx(1, abs=0.02)


def test_what_is_joined_of_a_bucket_stays_in_it() -> None:
    one, other = pairs(2_000, 0.6)
    directed = lsh.directions(0, DIMENSIONS, 16)
    buckets = lsh.bucket_of(one, directed)
    shared = np.flatnonzero(buckets == lsh.bucket_of(other, directed))

    joined = np.stack([lsh.mean_direction(np.stack([one[i], other[i]])) for i in shared])

    assert len(shared) > 400
    assert list(lsh.bucket_of(joined, directed)) == list(buckets[shared])
    np.testing.assert_allclose(np.linalg.norm(joined, axis=1), 1, atol=1e-5)


def test_a_head_and_a_relation_always_have_the_same_bucket_behind_those_of_vectors() -> None:
    found = {lsh.group_bucket(f"head {n}", "lives in", 16) for n in range(500)}

    assert lsh.group_bucket("alice", "lives in", 16) == 23
    assert found == set(lsh.group_buckets(16)) == set(range(16, 32))


@pytest.mark.parametrize("buckets", [0, 1, 7])
def test_buckets_come_in_pairs(buckets: int) -> None:
    with pytest.raises(ValueError, match="even"):
        lsh.directions(0, 8, buckets)
