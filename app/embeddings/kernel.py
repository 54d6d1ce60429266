"""Pure parts: windows for an embedder that cannot say how long a text is to it, unit vectors."""

import base64
import binascii
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Every tokeniser in use makes at most one token of a byte, and no model in use reads less than
# 256 tokens, special tokens included.
ALWAYS_FITS_BYTES = 250
WINDOW_BYTES = 700
OVERLAP_BYTES = 90
# Code points of white space, as str.isspace() has it, that occur in running text.
_SPACES = np.array([9, 10, 11, 12, 13, 32, 0xA0, 0x2028, 0x2029, 0x202F, 0x3000], np.uint32)


class TextWindows(NamedTuple):
    """A text's length in tokens and its windows as half-open spans of characters."""

    tokens: int
    spans: tuple[tuple[int, int], ...]


def always_fits(text: str) -> bool:
    """Say whether a text is so short that any embedder reads it whole, without asking it."""
    return len(text) <= ALWAYS_FITS_BYTES and len(text.encode()) <= ALWAYS_FITS_BYTES


def estimate_tokens(text: str) -> int:
    """Return a count of tokens that is rather too high than too low: a token per 3 bytes."""
    return max(len(text.split()), math.ceil(len(text.encode()) / 3))


def byte_windows(
    text: str, *, limit: int = WINDOW_BYTES, overlap: int = OVERLAP_BYTES
) -> TextWindows:
    """Cut a text into overlapping windows by bytes, at white space where there is some.

    Args:
        text: any text.
        limit: most UTF-8 bytes of a window, > 4.
        overlap: UTF-8 bytes two neighbours share, at most; < limit / 2.

    Returns:
        An estimate of the tokens, and spans that cover the whole text; none for an empty text.

    Raises:
        ValueError: limit or overlap out of range.
    """
    if limit <= 4 or not 0 <= overlap < limit / 2:
        msg = "limit must be over 4 bytes and overlap under half of it"
        raise ValueError(msg)
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    # ends[i] = UTF-8 bytes of text[:i]. Shape [len(text) + 1].
    width = 1 + (points > 0x7F).astype(np.int64) + (points > 0x7FF) + (points > 0xFFFF)
    ends = np.concatenate(([0], np.cumsum(width)))
    spaces = np.flatnonzero(np.isin(points, _SPACES))
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = int(np.searchsorted(ends, ends[start] + limit, side="right")) - 1
        if end < len(text):
            end = _after_space(spaces, (start + end) // 2 + 1, end)
        spans.append((start, end))
        if end == len(text):
            break
        back = int(np.searchsorted(ends, ends[end] - overlap))
        start = _first_after_space(spaces, max(back, start + 1), end)
    return TextWindows(estimate_tokens(text), tuple(spans))


def _after_space(spaces: NDArray[np.int64], low: int, high: int) -> int:
    """Return the last place behind white space in [low, high]; ``high`` if there is none."""
    index = int(np.searchsorted(spaces, high)) - 1
    place = int(spaces[index]) + 1 if index >= 0 else -1
    return place if place >= low else high


def _first_after_space(spaces: NDArray[np.int64], low: int, high: int) -> int:
    """Return the first place behind white space in [low, high]; ``low`` if there is none."""
    index = int(np.searchsorted(spaces, low - 1))
    place = int(spaces[index]) + 1 if index < len(spaces) else high + 1
    return place if place <= high else low


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vectors at unit length, untouched where they have it. Shape [n, d].

    Raises:
        ValueError: a vector is zero or not finite.
    """
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    if not np.all(np.isfinite(norms)) or np.any(norms == 0.0):
        msg = "a vector is zero or not finite"
        raise ValueError(msg)
    if np.all(np.abs(norms - 1.0) < 1e-4):
        return vectors
    scaled: NDArray[np.float32] = (vectors / norms[:, None]).astype(np.float32)
    return scaled


def nearest(
    held: NDArray[np.float32],
    ordinals: NDArray[np.int32],
    queries: NDArray[np.float32],
    *,
    k: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the ordinals of the k vectors nearest to each query, and their cosines.

    Args:
        held: vectors of any length but zero. Shape [n, d].
        ordinals: what they are called. Shape [n].
        queries: unit vectors. Shape [q, d].
        k: at most so many a query.

    Returns:
        Two arrays of shape [q, min(k, n)], nearest first, equals by ordinal.
    """
    if not len(held):
        return np.zeros((len(queries), 0), np.int32), np.zeros((len(queries), 0), np.float32)
    norms = np.linalg.norm(held, axis=1)
    cosines = (queries @ held.T) / np.maximum(norms, np.float32(1e-12))
    order = np.stack([np.lexsort((ordinals, -row))[:k] for row in cosines])
    return ordinals[order], np.take_along_axis(cosines, order, axis=1).astype(np.float32)


def nearest_by_bits(
    held: NDArray[np.uint8],
    ordinals: NDArray[np.int32],
    queries: NDArray[np.float32],
    *,
    k: int,
) -> list[NDArray[np.int32]]:
    """Return for each query the ordinals of the k rows whose sign bits differ least from its.

    Args:
        held: sign bits, eight to a byte, the first the highest. Shape [n, ceil(d / 8)].
        ordinals: what they are called. Shape [n].
        queries: vectors. Shape [q, d].
        k: at most so many a query; of ties at the end those that come first.
    """
    # A column a word: adding whole columns is many times faster than adding within short rows.
    columns = np.ascontiguousarray(_words(held).T)
    near = [
        _least(_differing(columns, bits), k) for bits in _words(np.packbits(queries > 0, axis=1))
    ]
    return [ordinals[places] for places in near]


def _words(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return rows of bytes as words of eight, padded with zeros."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8)))
    found: NDArray[np.uint64] = np.ascontiguousarray(padded).view(np.uint64)
    return found


def _differing(columns: NDArray[np.uint64], bits: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Count the bits that differ. Shapes: [w, n] and [w]; the answer has [n]."""
    found = np.zeros(columns.shape[1], np.uint16)
    for column, word in zip(columns, bits, strict=True):
        found += np.bitwise_count(column ^ word)
    return found


def _least(counts: NDArray[np.uint16], k: int) -> NDArray[np.intp]:
    """Return the places of the k least counts; there are few different ones."""
    limit = np.searchsorted(np.cumsum(np.bincount(counts)), k)
    less = np.flatnonzero(counts < limit)
    ties = np.flatnonzero(counts == limit)
    return np.concatenate([less, ties[: k - len(less)]])


def decode_vector(embedding: str | list[float]) -> NDArray[np.float32]:
    """Return a vector from either encoding of the wire format. Shape [d].

    Raises:
        ValueError: not base64 of whole float32 numbers.
    """
    if not isinstance(embedding, str):
        return np.asarray(embedding, np.float32)
    try:
        return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4")
    except binascii.Error as error:
        msg = "a vector is not base64"
        raise ValueError(msg) from error


def decode_bits(bits: str, tokens: int, dimensions: int) -> NDArray[np.uint8]:
    """Return packed bits from the wire format, a row a token. Shape [tokens, ceil(d / 8)].

    Raises:
        ValueError: not base64, or not so many bytes.
    """
    try:
        held = np.frombuffer(base64.b64decode(bits, validate=True), np.uint8)
    except binascii.Error as error:
        msg = "token bits are not base64"
        raise ValueError(msg) from error
    return held.reshape(tokens, math.ceil(dimensions / 8))
