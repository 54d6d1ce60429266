"""Many vectors for one statement, in the bytes that Postgres keeps of a ``halfvec[]``.

As text, which is how a list of vectors would go, they take far longer to write and to read.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format


@dataclass(frozen=True, slots=True)
class HalfVectors:
    """A value for ``CAST(:vectors AS halfvec[])``. Shape [n, d]."""

    vectors: NDArray[np.float32]


class _Dumper(Dumper):
    """Writes an array of one dimension: a header, then each vector with its length in bytes."""

    format = Format.BINARY
    element = 0
    """What Postgres calls ``halfvec``."""

    def dump(self, obj: HalfVectors) -> bytes:
        count, dimensions = obj.vectors.shape
        if not count:
            return struct.pack("!3I", 0, 0, self.element)
        vector = np.dtype([("size", ">i4"), ("d", ">i2"), ("_", ">i2"), ("x", ">f2", dimensions)])
        rows = np.zeros(count, vector)
        rows["size"] = vector.itemsize - 4
        rows["d"] = dimensions
        rows["x"] = obj.vectors
        return struct.pack("!3I2i", 1, 0, self.element, count, 1) + rows.tobytes()


def register(connection: AsyncConnection[Any]) -> None:
    """Teach a connection to send them; it must know ``halfvec`` already."""
    info = connection.adapters.types["halfvec"]
    dumper = type("_HalfVectors", (_Dumper,), {"oid": info.array_oid, "element": info.oid})
    connection.adapters.register_dumper(HalfVectors, dumper)
