"""What only the fake can do."""

import numpy as np
import pytest

from app.embeddings.errors import EmbedderUnavailableError
from app.embeddings.fake import FakeEmbedder


async def test_a_failing_fake_is_an_embedder_that_is_away() -> None:
    embedder = FakeEmbedder()
    embedder.failing = True

    for call in (embedder.embed(["text"]), embedder.embed_query("text"), embedder.windows(["a"])):
        with pytest.raises(EmbedderUnavailableError):
            await call

    embedder.failing = False
    assert len(await embedder.embed(["text"])) == 1
    assert embedder.requests == 4


async def test_vectors_are_the_same_in_every_process() -> None:
    vector = await FakeEmbedder(dimensions=4).embed_query("same words")

    np.testing.assert_allclose(vector, [-0.74031, -0.58774, -0.27157, 0.18099], atol=1e-4)
