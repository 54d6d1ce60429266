"""What the mechanisms want to know when memories change, put together for api and worker."""

from app.facts import service as facts
from app.ingestion.service import ENRICHMENT_TASKS
from app.linking import service as linking
from app.memories.service import Derivations
from app.profiles import service as profiles
from app.segmentation import service as segmentation
from app.thoughts import service as thoughts

DERIVATIONS = Derivations(
    gone=(
        linking.forget,
        segmentation.forget,
        thoughts.sources_gone,
        profiles.gone,
        facts.sources_gone,
    ),
    tasks=ENRICHMENT_TASKS,
)
"""Each mechanism adds its hook; its tasks stand in the chain behind a write."""
