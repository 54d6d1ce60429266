"""What an owner's memories undergo: how they fade, and which mechanisms run on them."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictBool

from app.kit.body import Body
from app.kit.text import NUMBER, CleanText

Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


class ForgettingPolicy(Body):
    """How memories fade. Source: MemoryBank, R = e^(-t/S), t in days since the last recall.

    S is 1 day at first and grows with each recall. Deviation: ``importance_days``, ``floor`` and
    ``ranking`` are ours, and change nothing of R = e^(-t/S) while they are 0.
    """

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"archiving": "threshold", "threshold": 0.05}]}
    )

    law: Annotated[
        Literal["exponential", "none"],
        Field(description="`exponential`: retention e^(-t/S). `none`: nothing fades."),
    ] = "exponential"
    clock: Annotated[
        Literal["created", "occurred"],
        Field(
            description="When t starts for a memory never recalled: when it was stored, or when "
            "it happened (for imported histories)."
        ),
    ] = "created"
    growth_days: Annotated[
        float,
        Field(strict=True, ge=0, le=365, description="Days that S grows by on each recall."),
    ] = 1.0
    importance_days: Annotated[
        float,
        Field(strict=True, ge=0, le=3650, description="Days added to S by an importance of 1."),
    ] = 0.0
    floor: Annotated[Share, Field(description="Retention never falls below this.")] = 0.0
    ranking: Annotated[
        float,
        Field(
            strict=True,
            ge=0,
            le=0.5,
            description="Bounds the factor of recall: score x (1 - ranking x (1 - retention)).",
        ),
    ] = 0.1
    archiving: Annotated[
        Literal["off", "threshold", "sample"],
        Field(
            description="`threshold`: archive what falls below it. `sample`: archive at random, "
            "so that a memory survives with a probability equal to its retention. Archived "
            "memories can be restored."
        ),
    ] = "off"
    threshold: Annotated[Share, Field(description="For `archiving: threshold`.")] = 0.05
    kinds: Annotated[
        tuple[Annotated[CleanText, Field(min_length=1, max_length=32)], ...],
        Field(min_length=1, max_length=16, description="Kinds of memory that fade."),
    ] = ("episode",)
    seed: Annotated[int, Field(ge=0, lt=2**31, description="Of the draws of `sample`."), NUMBER] = 0


class Mechanisms(Body):
    """Which mechanisms organise an owner's memories in the background."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"thoughts": False}]})

    linking: Annotated[StrictBool, Field(description="A-MEM: notes and links.")] = True
    thoughts: Annotated[StrictBool, Field(description="Think-in-Memory: thoughts.")] = True
    facts: Annotated[
        StrictBool, Field(description="ChroKnowledge: bitemporal facts of what was said.")
    ] = True
    conflicts: Annotated[
        StrictBool,
        Field(description="Adaptive Chameleon: contradictions, and what replaces what in recall."),
    ] = True
    summaries: Annotated[
        StrictBool, Field(description="MemoryBank: summaries and portraits of days.")
    ] = True
    profiles: Annotated[StrictBool, Field(description="Second Me: shades and biography.")] = True
    segments: Annotated[StrictBool, Field(description="EM-LLM: segments.")] = True
    feedback: Annotated[
        StrictBool, Field(description="ReLoop2: votes on hits change scores of later recalls.")
    ] = True

    def switches_on(self, before: "Mechanisms") -> bool:
        """Tell whether a mechanism runs that did not."""
        names = type(self).model_fields
        return any(getattr(self, name) and not getattr(before, name) for name in names)


class ConflictPolicy(Body):
    """Which side holds of two memories that contradict each other, until somebody decides."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"rule": "ask"}]})

    rule: Annotated[
        Literal["newest-wins", "source-trust", "ask"],
        Field(
            description="`newest-wins`: a change holds from when it was said; what denies that "
            "something ever was stays open, as that is no change. `source-trust`: the side of more "
            "`trust`; of equal trust as `newest-wins`. `ask`: all stay open."
        ),
    ] = "newest-wins"
    trust: Annotated[
        dict[str, Share],
        Field(
            max_length=64,
            description="By name or role of who said it, 0 to 1; the name counts first; 0.5 for "
            "whom it does not name.",
        ),
    ] = Field(default_factory=dict)


class Policies(Body):
    """Everything about an owner that the mechanisms obey."""

    model_config = ConfigDict(frozen=True)

    forgetting: ForgettingPolicy = ForgettingPolicy()
    mechanisms: Mechanisms = Mechanisms()
    conflicts: ConflictPolicy = ConflictPolicy()


DEFAULT = Policies()


def read(stored: dict[str, Any] | None) -> Policies:
    """Return policies from their row; what the row leaves out has its default."""
    return Policies.model_validate(stored) if stored else DEFAULT


def stored(
    forgetting: ForgettingPolicy | None,
    mechanisms: Mechanisms | None,
    conflicts: ConflictPolicy | None,
) -> dict[str, Any]:
    """Return the row of policies; what is ``None`` follows the tenant, or the default."""
    given = {"forgetting": forgetting, "mechanisms": mechanisms, "conflicts": conflicts}
    return {name: one.model_dump(mode="json") for name, one in given.items() if one is not None}
