"""What a language model may repeat of memories."""

from collections.abc import Iterable

from app.memories.models import Memory


def sources_of(held: Iterable[Memory]) -> list[str]:
    """Return the words, speakers and dates of memories, to check a model's texts against."""
    return [
        text
        for memory in held
        for text in (memory.content, memory.name, f"{memory.occurred_at:%Y-%m-%d}")
        if text
    ]
