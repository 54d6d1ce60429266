"""Messages between the api and the sidecar: OpenAI's embeddings wire format and our extensions.

Nothing heavier than pydantic is imported here: both programs read this module.
Our extensions are the request field ``token_bits`` and the route ``/v1/windows``; an embedder
that knows neither is still a full embedder.
"""

from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from app.kit.text import CleanText, clean

_EXAMPLE_MODEL = "all-MiniLM-L6-v2"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


NonEmptyText = Annotated[str, StringConstraints(min_length=1), AfterValidator(clean)]
# Both forms of the wire format are read as a list, so that an error names the text's place.
_OneOrMore = BeforeValidator(
    _as_list,
    json_schema_input_type=str | list[str],
)


class EmbeddingRequest(BaseModel):
    """Texts to embed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": _EXAMPLE_MODEL, "input": ["Anna moved to Lisbon.", "Who lives abroad?"]}
            ]
        }
    )

    input: Annotated[list[NonEmptyText], MinLen(1), _OneOrMore] = Field(
        description="One text or a list; each is cut at the model's window."
    )
    model: str = Field(description="One of `GET /v1/models`.")
    encoding_format: Literal["float", "base64"] = Field(
        "float", description="`base64` is little-endian float32, four bytes a dimension."
    )
    dimensions: Annotated[int, Ge(1)] | None = Field(
        None, description="Refused unless it is the model's own."
    )
    user: str | None = Field(None, description="Accepted for compatibility, not used.")
    token_bits: bool = Field(
        default=False, description="Also give the sign bits of each text's token vectors."
    )


class TokenBits(BaseModel):
    """Signs of a text's token vectors, special tokens left out: bit 1 where the value is > 0."""

    shape: tuple[int, int] = Field(description="Tokens, dimensions.")
    bits: str = Field(
        description="Base64; each token's bits fill whole bytes, first dimension in the high bit."
    )


class Embedding(BaseModel):
    """The vector of one text, of unit length."""

    object: Literal["embedding"] = "embedding"
    index: Annotated[int, Ge(0)] = Field(description="Place of the text in the request.")
    embedding: list[float] | str
    token_bits: TokenBits | None = None


class Usage(BaseModel):
    """Tokens the model read, special tokens included."""

    prompt_tokens: int = 0
    total_tokens: int = 0


class EmbeddingResponse(BaseModel):
    """One vector per text, in the order of the request."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: Usage = Usage()


class Model(BaseModel):
    """A served model."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(0, description="Unix time at which it was loaded.")
    owned_by: str = "remembrancer"
    dimensions: int | None = Field(None, description="Length of its vectors.")
    max_tokens: int | None = Field(
        None, description="Tokens it reads of one text, special tokens included."
    )


class ModelList(BaseModel):
    """All served models."""

    object: Literal["list"] = "list"
    data: list[Model]


class WindowsRequest(BaseModel):
    """Texts to cut into windows that fit the model."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": _EXAMPLE_MODEL, "input": ["A long report …"], "overlap": 32}]
        }
    )

    input: Annotated[list[CleanText], MinLen(1), _OneOrMore] = Field(
        description="One text or a list."
    )
    model: str = Field(description="One of `GET /v1/models`.")
    max_tokens: Annotated[int, Ge(8), Le(100_000)] | None = Field(
        None, description="Tokens a window, special tokens not counted; default: all that fit."
    )
    overlap: Annotated[int, Ge(0)] | None = Field(
        None,
        description="Tokens two neighbouring windows share, about; under half a window. "
        "Default: 32, or a quarter of a smaller window.",
    )


class Window(BaseModel):
    """A half-open span of characters (Unicode code points)."""

    start: Annotated[int, Ge(0)]
    end: Annotated[int, Ge(0)]


class TextWindows(BaseModel):
    """One text's length and its windows; a text that fits has one, an empty text none."""

    index: Annotated[int, Ge(0)]
    tokens: Annotated[int, Ge(0)] = Field(description="Of the whole text, without special tokens.")
    windows: list[Window]


class WindowsResponse(BaseModel):
    """Windows per text, in the order of the request."""

    object: Literal["list"] = "list"
    data: list[TextWindows]
    model: str


class ProblemBody(BaseModel):
    """An error, application/problem+json (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable name of the error.")
    request_id: str | None = None
