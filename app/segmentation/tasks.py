"""The room's part in the worker."""

from app.jobs.protocol import TaskContext, TaskRegistry
from app.kit.settings import SegmentationSettings
from app.memories.service import Spaces
from app.segmentation import service
from app.segmentation.kernel.boundaries import Rules


def register(registry: TaskRegistry, spaces: Spaces, settings: SegmentationSettings) -> None:
    """Add the room's tasks."""
    rules = Rules(
        signal=settings.signal,
        gamma=settings.gamma,
        least=settings.least,
        most=settings.most,
        gap_s=60 * settings.gap_minutes,
        refinement=None if settings.refinement == "none" else settings.refinement,
    )
    segmenter = service.Segmenter(spaces, rules)

    async def segment(context: TaskContext) -> None:
        await service.segment(context, segmenter)

    registry.task("segmentation.segment", segment)
