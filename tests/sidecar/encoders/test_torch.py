"""The torch backend, and that it agrees with the onnx backend."""
# ruff: noqa: PLC0415  -- torch is imported where it is used: it may be absent, and it is slow

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.sidecar.encoders.onnx import OnnxEncoder
from app.sidecar.errors import DeviceMemoryError, ModelLoadError
from app.sidecar.settings import SidecarSettings
from tests.sidecar.encoders.texts import padded

if TYPE_CHECKING:
    from app.sidecar.encoders.torch import TorchEncoder

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(
        find_spec("sentence_transformers") is None, reason="the extra `torch` is not installed"
    ),
]

TEXTS = [
    "ok",
    "Anna: I went to the support group yesterday, and it was powerful!",
    "¿Dónde está la biblioteca? 図書館はどこですか。",
    "🙂🙂🙂 x\n\ty",
    "We walked along the river until dark. " * 12,
    "A text far longer than the window of the model. " * 200,
]


@pytest.fixture(scope="module")
def torch_encoder() -> "TorchEncoder":
    from app.sidecar.encoders.torch import TorchEncoder

    return TorchEncoder(SidecarSettings(backend="torch", device="cpu"))


def test_both_backends_give_the_same_tokens(
    encoder: OnnxEncoder, torch_encoder: "TorchEncoder"
) -> None:
    assert torch_encoder.tokenizer.ids(TEXTS) == encoder.tokenizer.ids(TEXTS)
    assert torch_encoder.tokenizer.window == encoder.tokenizer.window
    assert torch_encoder.dimensions == encoder.dimensions


def test_both_backends_give_the_same_vectors_and_signs(
    encoder: OnnxEncoder, torch_encoder: "TorchEncoder"
) -> None:
    ids, lengths = padded(encoder.tokenizer.ids(TEXTS))

    ours = encoder.encode(ids, lengths, signs=True, urgent=False)
    theirs = torch_encoder.encode(ids, lengths, signs=True, urgent=False)

    assert np.einsum("bd,bd->b", ours.vectors, theirs.vectors).min() >= 0.9999
    assert ours.signs is not None
    assert theirs.signs is not None
    for mine, other, length in zip(ours.signs, theirs.signs, lengths, strict=True):
        assert (mine[:length] == other[:length]).mean() > 0.9995


def test_the_backend_gives_what_the_models_own_library_gives(
    encoder: OnnxEncoder, torch_encoder: "TorchEncoder"
) -> None:
    from sentence_transformers import SentenceTransformer

    from app.sidecar.encoders import weights

    library = SentenceTransformer(str(weights.default_model_dir(SidecarSettings())), device="cpu")
    expected = library.encode(TEXTS, batch_size=64, normalize_embeddings=True)

    ids, lengths = padded(encoder.tokenizer.ids(TEXTS))
    for backend in (encoder, torch_encoder):
        vectors = backend.encode(ids, lengths, signs=False, urgent=True).vectors
        assert np.einsum("bd,bd->b", vectors, expected).min() >= 0.9999


@pytest.mark.parametrize("message", ["CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED"])
def test_a_device_without_room_is_a_problem_of_its_own(
    message: str, torch_encoder: "TorchEncoder", monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    kind = torch.OutOfMemoryError if "CUDA" in message else RuntimeError
    monkeypatch.setattr(torch_encoder, "_model", failing(kind(message)))

    with pytest.raises(DeviceMemoryError):
        torch_encoder.encode(*padded([[101, 102]]), signs=False, urgent=True)


def test_another_failure_of_the_device_stays_what_it_is(
    torch_encoder: "TorchEncoder", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_encoder, "_model", failing(RuntimeError("illegal access")))

    with pytest.raises(RuntimeError, match="illegal access"):
        torch_encoder.encode(*padded([[101, 102]]), signs=False, urgent=True)


def failing(error: Exception) -> Callable[[object], object]:
    def model(_: object) -> object:
        raise error

    return model


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (SidecarSettings(model="some/model", device="cpu"), "APP_SIDECAR__HUB is off"),
        (
            SidecarSettings(model="other", model_path=Path("absent"), device="cpu"),
            "cannot be loaded",
        ),
    ],
)
def test_a_model_that_cannot_be_had_is_refused_in_one_sentence(
    settings: SidecarSettings, reason: str
) -> None:
    from app.sidecar.encoders.torch import TorchEncoder

    with pytest.raises(ModelLoadError, match=reason):
        TorchEncoder(settings)
