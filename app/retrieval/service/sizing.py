"""By how many keys an owner has: which way each arm reads, and how much it hands on."""

from app.kit.settings import RetrievalSettings
from app.memories.service import ModelTable
from app.retrieval.repository.recall import DensePath
from app.tenants.schemas import Scope

_KEYS_A_BIT_CANDIDATE = 64
"""Of a large owner every so many keys give one candidate: ties of bits grow with the owner."""

_NOTABLE = 0.3
"""Share of the score to beat from which a term is read in full rather than looked up."""

_GROWTH = 1.25
"""An owner with so many times the keys is searched anew."""


def is_alike(
    settings: RetrievalSettings, table: ModelTable | None, scope: Scope, known: Scope
) -> bool:
    """Tell whether the search for what was known of an owner is the one for what it is now.

    A few keys more or less than the dense arm was sized for do no harm.
    """
    return (
        (scope.owner_id, scope.local) == (known.owner_id, known.local)
        and scope.keys <= known.keys * _GROWTH
        and (
            table is None
            or dense_path(settings, scope, table) == dense_path(settings, known, table)
        )
    )


def dense_path(
    settings: RetrievalSettings, scope: Scope, table: ModelTable, *, is_narrow: bool = False
) -> DensePath:
    """Choose how vectors are searched; an index of neighbours cannot know what else must pass."""
    if scope.keys < settings.exact_below or not table.uses_bits:
        return "exact"
    return "bits" if is_narrow or scope.keys < settings.hnsw_from else "hnsw"


def dense_values(
    settings: RetrievalSettings, path: DensePath, scope: Scope, table: ModelTable, depth: int
) -> dict[str, int]:
    """Return how many keys each step of the dense arm hands on."""
    values = {"dense_keys": 2 * depth}
    if path != "exact":
        values["bit_candidates"] = max(
            settings.bit_candidates, 2 * depth, scope.keys // _KEYS_A_BIT_CANDIDATE
        )
    if path == "hnsw":
        values |= {
            "model_id": table.model_id,
            "hnsw_ef": settings.hnsw_ef,
            "hnsw_candidates": depth + depth // 4,
            "later_candidates": depth,
        }
    return values


def lexical_values(
    settings: RetrievalSettings, *, is_large: bool, sure: int, depth: int
) -> dict[str, float]:
    """Return how much the keyword arm reads and hands on.

    Args:
        settings: those of recall.
        is_large: whether postings are skipped that cannot matter.
        sure: how many of the best memories must be those of full BM25.
        depth: how many memories are handed on.
    """
    if not is_large:
        return {"lexical_keys": max(300, 2 * depth)}
    return {
        "lexical_keys": depth,
        "budget": settings.posting_budget,
        "sure": sure,
        "notable": _NOTABLE,
    }
