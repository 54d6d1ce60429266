"""Topics as clusters of vectors: made once, then kept up to date cheaply. Pure.

Source: Second Me (AI-native Memory 2.0), arXiv:2503.08102, its topics generator.
Deviation: its thresholds (``PAPER``) hold for one embedder only; ``calibrated`` finds those of the
embedder in use by quantiles, for vectors that are ``centered`` first. A cluster has two members at
least. What an update leaves unchanged is kept, not lost.

Axes: n points, d dimensions, k clusters.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

KEPT_SHARE = 0.8
LEAST_SIZE = 2
OUTLIER = -1


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Euclidean distances between unit vectors and centres."""

    cut: float
    """Ward heights up to this are inside one cluster."""
    join: float
    """A point nearer than this to a centre belongs to it."""
    merge: float
    """Clusters whose centres are nearer than this are one."""


PAPER = Thresholds(cut=1.0, join=0.5, merge=0.5)


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Return squared Euclidean distances. Shapes: [n, d], [k, d] -> [n, k]."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * a @ b.T
    found: Floats = np.maximum(squares, 0)
    return found


def ward(points: Points, cut: float) -> Labels:
    """Return flat clusters of Ward's linkage cut at a height, numbered by first member.

    Heights are sqrt(2ab/(a+b)) times the distance of the centres, as scipy has them. Found by
    chains of nearest neighbours in O(n^2) time and space. Shapes: [n, d] -> [n].
    """
    parent = list(range(len(points)))
    for a, b, height in _merges(points):
        if height <= cut:
            parent[_root(parent, max(a, b))] = _root(parent, min(a, b))
    return _numbered([_root(parent, i) for i in range(len(points))])


def _merges(points: Points) -> Iterable[tuple[int, int, float]]:
    """Yield all n - 1 merges as (slot, slot that goes on, height); any order of heights."""
    n = len(points)
    exact = points.astype(np.float64)
    distance = squared_distances(exact, exact)
    np.fill_diagonal(distance, np.inf)
    size = np.ones(n)
    alive = np.ones(n, bool)
    chain: list[int] = []
    for _ in range(n - 1):
        if not chain:
            chain.append(int(np.flatnonzero(alive)[0]))
        a, b = _reciprocal(distance, chain)
        height = float(distance[a, b])
        yield a, b, math.sqrt(height)
        total = size[a] + size[b] + size
        merged = (
            (size[a] + size) * distance[a] + (size[b] + size) * distance[b] - size * height
        ) / total
        alive[a] = False
        merged[~alive] = np.inf
        merged[b] = np.inf
        distance[b, :] = merged
        distance[:, b] = merged
        distance[a, :] = np.inf
        distance[:, a] = np.inf
        size[b] += size[a]


def _reciprocal(distance: Floats, chain: list[int]) -> tuple[int, int]:
    """Follow nearest neighbours until two are each other's; take both off the chain."""
    while True:
        last = chain[-1]
        nearest = int(distance[last].argmin())
        if len(chain) > 1:
            before = chain[-2]
            # On a tie the way back is taken: else the chain might never end.
            if distance[last, before] <= distance[last, nearest]:
                chain.pop()
                chain.pop()
                return last, before
        chain.append(nearest)


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _numbered(roots: Sequence[int]) -> Labels:
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root, len(numbers)) for root in roots], np.int64)


def least_size(largest: int) -> int:
    """Return how many members a cluster needs beside a largest one: its square root."""
    return max(LEAST_SIZE, math.ceil(math.sqrt(largest)))


def cluster(points: Points, thresholds: Thresholds, *, largest: int = 0) -> Labels:
    """Return kept clusters of points, the largest first; the rest are outliers.

    Kept are those with at least the square root of the largest's size, and of each the 80 %
    nearest to its centre. Shapes: [n, d] -> [n], ``OUTLIER`` or a number from 0.

    Args:
        points: unit vectors.
        thresholds: of the embedder.
        largest: size of the largest cluster that there is already, if these are its outliers.
    """
    if not len(points):
        return np.zeros(0, np.int64)
    raw = ward(points, thresholds.cut)
    sizes = np.bincount(raw)
    least = least_size(max(int(sizes.max()), largest))
    order = sorted((c for c in range(len(sizes)) if sizes[c] >= least), key=lambda c: -sizes[c])
    labels = np.full(len(points), OUTLIER, np.int64)
    for number, kept in enumerate(order):
        members = np.flatnonzero(raw == kept)
        labels[members[nearest_share(points[members])]] = number
    return labels


def nearest_share(points: Points, share: float = KEPT_SHARE) -> Labels:
    """Return the indexes of the points nearest to their centre, ascending; no fewer than two.

    Deviation: of two or three points four fifths are less than the two that make a topic.
    """
    exact = points.astype(np.float64)
    distance = squared_distances(exact, exact.mean(axis=0)[None, :])[:, 0]
    count = max(min(LEAST_SIZE, len(points)), int(share * len(points) + 1e-9))
    return np.sort(np.argsort(distance, kind="stable")[:count])


def assign(points: Points, centers: Points, join: float) -> tuple[Labels, Floats]:
    """Return each point's nearest centre, or ``OUTLIER``, and its distance to the nearest one.

    Shapes: [n, d], [k, d] -> [n], [n].
    """
    if not len(centers) or not len(points):
        return np.full(len(points), OUTLIER, np.int64), np.full(len(points), np.inf)
    distance = np.sqrt(squared_distances(points.astype(np.float64), centers.astype(np.float64)))
    nearest = distance.argmin(axis=1)
    found = distance[np.arange(len(points)), nearest]
    return np.where(found < join, nearest, OUTLIER), found


def components(centers: Points, merge: float) -> list[list[int]]:
    """Return groups of clusters whose centres are near, directly or through others; sizes >= 2."""
    if not len(centers):
        return []
    exact = centers.astype(np.float64)
    near = np.sqrt(squared_distances(exact, exact)) < merge
    parent = list(range(len(centers)))
    for a, b in np.argwhere(np.triu(near, 1)).tolist():
        parent[_root(parent, b)] = _root(parent, a)
    groups: dict[int, list[int]] = {}
    for i in range(len(centers)):
        groups.setdefault(_root(parent, i), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def weighted_center(centers: Points, sizes: Sequence[int]) -> Points:
    """Return the mean of merged clusters' centres, weighted by their sizes. Shape [d]."""
    found: Points = np.average(centers, axis=0, weights=sizes).astype(np.float32)
    return found


def centered(points: Points, origin: Points) -> Points:
    """Return unit vectors from ``origin`` to the points. Shapes: [n, d], [d] -> [n, d].

    One person's messages have a way of speaking in common, which hides their topics: clusters are
    of what is left without it.
    """
    left = points - origin
    lengths = np.linalg.norm(left, axis=1, keepdims=True)
    found: Points = (left / np.maximum(lengths, 1e-9)).astype(np.float32)
    return found


def calibrated(points: Points, topics: Labels) -> Thresholds:
    """Return the thresholds of an embedder from its centred vectors of sentences by topic.

    cut: the 5 % quantile of the Ward heights that join two topics. join: the 5 % quantile of the
    distances to the centre of the other sentences of the own topic: centres of larger clusters are
    nearer. merge: half of the 95 % quantile of the distances between the centres of a topic's
    halves, which falls with the root of their size and is half at four times the size.
    """
    inside, across = _own_distances(points, topics), _heights_across(points, topics)
    return Thresholds(
        cut=float(np.quantile(across, 0.05)),
        join=float(np.quantile(inside, 0.05)),
        merge=float(np.quantile(_half_distances(points, topics), 0.95)) / 2,
    )


def _heights_across(points: Points, topics: Labels) -> list[float]:
    names = np.unique(topics).tolist()
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [
        max(height for _, _, height in _merges(points[(topics == a) | (topics == b)]))
        for a, b in pairs
    ]


def _own_distances(points: Points, topics: Labels) -> list[float]:
    found = []
    for i, own in enumerate(topics.tolist()):
        fellows = (topics == own) & (np.arange(len(points)) != i)
        found.append(float(np.linalg.norm(points[i] - points[fellows].mean(axis=0))))
    return found


def _half_distances(points: Points, topics: Labels) -> list[float]:
    each = [points[topics == topic] for topic in np.unique(topics)]
    return [float(np.linalg.norm(p[::2].mean(axis=0) - p[1::2].mean(axis=0))) for p in each]


def confidences(sizes: Sequence[int]) -> list[int]:
    """Return the confidence of each shade, 5 (very high) to 1, by the rank of its size.

    The shade at place i of n, counted from 0, gets 5 - floor(5 i / n); ties keep their order.
    """
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    levels = [0] * len(sizes)
    for place, i in enumerate(order):
        levels[i] = 5 - (5 * place) // len(sizes)
    return levels


def continuations(old: Sequence[frozenset[int]], new: Sequence[frozenset[int]]) -> dict[int, int]:
    """Return which new cluster goes on with which old one: most shared members first.

    A continuation shares at least half of the smaller one's members.
    """
    shared = sorted(
        (
            (len(a & b), i, j)
            for i, a in enumerate(new)
            for j, b in enumerate(old)
            if 2 * len(a & b) >= min(len(a), len(b)) > 0
        ),
        key=lambda one: (-one[0], one[1], one[2]),
    )
    found: dict[int, int] = {}
    for _, i, j in shared:
        if i not in found and j not in found.values():
            found[i] = j
    return found
