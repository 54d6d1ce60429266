"""Any sentence-transformers model in torch: GPUs, and models other than the packaged one."""

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from app.sidecar.encoder import Encoded
from app.sidecar.encoders import weights
from app.sidecar.errors import DeviceMemoryError, ModelLoadError
from app.sidecar.settings import DEFAULT_MODEL, SidecarSettings
from app.sidecar.tokens import TextTokenizer

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
_LONGEST_WINDOW = 8_192


class TorchEncoder:
    """One model on one device, one batch at a time."""

    parallel = 1

    def __init__(self, settings: SidecarSettings) -> None:
        self.name = settings.model
        self._device = _device(settings)
        self.backend = f"torch/{self._device.type}"
        self.batch_tokens = 16_384 if self._device.type == "cuda" else 1_024
        torch.set_num_threads(settings.processors())
        if settings.device_budget_bytes is not None and self._device.type == "cuda":
            total = torch.cuda.get_device_properties(self._device).total_memory
            torch.cuda.set_per_process_memory_fraction(
                min(1.0, settings.device_budget_bytes / total), self._device
            )
        self._model = _load(settings, self._device)
        window = self._model.get_max_seq_length() or _LONGEST_WINDOW
        self.tokenizer = TextTokenizer(
            _fast_tokenizer(self._model), max_tokens=min(window, _LONGEST_WINDOW)
        )
        self.dimensions: int = self._model.get_embedding_dimension()

    def encode(
        self, ids: NDArray[np.int32], lengths: NDArray[np.int32], *, signs: bool, urgent: bool
    ) -> Encoded:
        """Encode one batch; see ``Encoder.encode``."""
        try:
            with torch.inference_mode():
                return self._encode(ids, lengths, signs=signs)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            torch.cuda.empty_cache()
            msg = f"{len(ids)} texts of up to {ids.shape[1]} tokens do not fit the device."
            raise DeviceMemoryError(msg).retry_after(1) from error

    def _encode(
        self, ids: NDArray[np.int32], lengths: NDArray[np.int32], *, signs: bool
    ) -> Encoded:
        tokens = torch.from_numpy(ids.astype(np.int64)).to(self._device)  # [b, s]
        ends = torch.from_numpy(lengths).to(self._device)  # [b]
        places = torch.arange(tokens.shape[1], device=self._device)
        mask = (places[None, :] < ends[:, None]).long()  # [b, s]
        output = self._model({"input_ids": tokens, "attention_mask": mask})
        vectors = torch.nn.functional.normalize(output["sentence_embedding"].float(), dim=-1)
        positive = (output["token_embeddings"] > 0).cpu().numpy() if signs else None
        return Encoded(vectors.cpu().numpy(), positive)


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Say so of torch's own error, and of a library under it that found no room to start."""
    return isinstance(error, torch.OutOfMemoryError) or "ALLOC_FAILED" in str(error)


def _device(settings: SidecarSettings) -> torch.device:
    if settings.device == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if settings.device == "cuda":
        msg = "APP_SIDECAR__DEVICE is cuda, but torch finds no usable GPU."
        raise ModelLoadError(msg)
    return torch.device("cpu")


def _load(settings: SidecarSettings, device: torch.device) -> SentenceTransformer:
    source = settings.model
    if settings.model == DEFAULT_MODEL:
        folder = weights.default_model_dir(settings)
        weights.check(folder / "model.safetensors")
        source = str(folder)
    elif settings.model_path is not None:
        source = str(settings.model_path)
    elif not settings.hub:
        msg = f"{settings.model} has no APP_SIDECAR__MODEL_PATH, and APP_SIDECAR__HUB is off."
        raise ModelLoadError(msg)
    try:
        return SentenceTransformer(
            source,
            device=str(device),
            local_files_only=not settings.hub,
            model_kwargs={"dtype": _DTYPES[settings.dtype]},
        )
    except (OSError, ValueError) as error:
        msg = f"{settings.model} cannot be loaded from {source}: {str(error).splitlines()[0]}"
        raise ModelLoadError(msg) from error


def _fast_tokenizer(model: SentenceTransformer) -> Tokenizer:
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        msg = "The model has no fast tokeniser, and windows need one."
        raise ModelLoadError(msg)
    return backend
