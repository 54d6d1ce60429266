"""The verbs of the room."""

from app.segmentation.service.cutting import Segmenter, forget, segment
from app.segmentation.service.reading import page, relevant

__all__ = ["Segmenter", "forget", "page", "relevant", "segment"]
