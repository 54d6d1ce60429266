import numpy as np
import pytest
import sqlalchemy as sa

from app.kit.database import Database
from app.kit.halfvecs import HalfVectors

pytestmark = pytest.mark.pg

_READ = sa.text("""
    SELECT CAST(v AS text) FROM unnest(CAST(:vectors AS halfvec[])) WITH ORDINALITY AS u (v, no)
    ORDER BY no
""")


async def _read(database: Database, vectors: HalfVectors) -> list[list[float]]:
    async with database.transaction() as session:
        found = await session.scalars(_READ, {"vectors": vectors})
        return [[float(x) for x in text.strip("[]").split(",")] for text in found]


async def test_vectors_arrive_as_they_were_sent(database: Database) -> None:
    sent = np.random.default_rng(1).normal(size=(70, 384)).astype(np.float32)

    found = await _read(database, HalfVectors(sent))

    assert np.allclose(found, sent.astype(np.float16), rtol=1e-3, atol=1e-7)


async def test_exact_values_of_any_layout_stay_exact(database: Database) -> None:
    sent = np.asfortranarray(np.array([[1.0, -0.5, 0.0], [0.25, 2.0, -8.0]], np.float32))

    assert await _read(database, HalfVectors(sent)) == sent.tolist()


async def test_no_vectors_are_an_empty_array(database: Database) -> None:
    assert await _read(database, HalfVectors(np.zeros((0, 3), np.float32))) == []


async def test_what_is_no_number_is_refused(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="NaN not allowed"):
        await _read(database, HalfVectors(np.array([[np.nan, 1.0]], np.float32)))
