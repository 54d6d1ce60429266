"""Language model over the OpenAI wire format."""

from app.llm.client.model import OpenAiModel

__all__ = ["OpenAiModel"]
