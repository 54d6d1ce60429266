"""The messages both programs read."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from app.inference.wire import EmbeddingRequest, WindowsRequest

HEAVY = ("onnx", "onnxruntime", "torch", "sqlalchemy", "fastapi", "tokenizers", "numpy")


def test_importing_the_messages_loads_no_heavy_library() -> None:
    program = f"import sys, app.inference.wire; print([m for m in {HEAVY!r} if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert found.stdout.strip() == b"[]"


def test_one_text_is_read_as_a_list_of_one() -> None:
    request = EmbeddingRequest.model_validate({"model": "m", "input": "hello"})

    assert request.input == ["hello"]


@pytest.mark.parametrize(
    ("texts", "place"),
    [
        ([], ("input",)),
        ("", ("input", 0)),
        (["fine", ""], ("input", 1)),
        (["fine", "a\x00b"], ("input", 1)),
        (["fine", "\ud800"], ("input", 1)),
        ([[1, 2, 3]], ("input", 0)),
        (None, ("input",)),
    ],
)
def test_a_text_that_cannot_be_embedded_is_named_by_its_place(
    texts: object, place: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as caught:
        EmbeddingRequest.model_validate({"model": "m", "input": texts})

    assert caught.value.errors()[0]["loc"] == place


def test_an_empty_text_has_windows_but_no_vector() -> None:
    assert WindowsRequest.model_validate({"model": "m", "input": ""}).input == [""]
