"""What the room's tasks work with: the embedder's space, perhaps a language model, settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.embeddings.protocol import Embedder, Vectors
from app.embeddings.service import AWAY_S, embedder_awaited
from app.jobs.errors import TaskPostponedError
from app.kit.settings import LinkingSettings
from app.linking.kernel import notes as kernel
from app.llm.protocol import LanguageModel
from app.memories.service import ModelTable, Spaces

SPACE = "note"
"""The space of the notes' vectors."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An embedder that is there, and the tables of its vectors."""

    embedder: Embedder
    table: ModelTable


@dataclass(slots=True)
class Tools:
    """What the tasks of a worker share."""

    spaces: Spaces
    llm: LanguageModel | None
    settings: LinkingSettings
    _labels: dict[str, Vectors] = field(default_factory=dict)

    async def ready(self) -> Ready:
        """Return the active space.

        Raises:
            TaskPostponedError: there is no vector yet, or nobody to make more.
        """
        space = await self.spaces.current()
        if space.embedder is None or space.table is None:
            msg = "No embedder serves the active model, or no memory has a vector yet."
            raise TaskPostponedError(msg, retry_in_s=AWAY_S)
        return Ready(space.embedder, space.table)

    async def label_vectors(self, ready: Ready) -> Vectors:
        """Return the vectors of the broad tags, embedded once for each model. Shape [l, d]."""
        name = ready.table.name
        if name not in self._labels:
            self._labels[name] = await embed(ready, list(kernel.LABELS.values()))
        return self._labels[name]


async def embed(ready: Ready, texts: Sequence[str]) -> Vectors:
    """Return one unit vector per text. Shape [n, d].

    Raises:
        TaskPostponedError: the embedder is away; waiting for it costs no attempt.
    """
    with embedder_awaited():
        return await ready.embedder.embed(texts)
