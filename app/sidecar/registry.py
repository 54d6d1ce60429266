"""Which encoder serves, chosen once at start."""

import ctypes
from collections.abc import Callable
from importlib.util import find_spec

from app.sidecar.encoder import Encoder
from app.sidecar.errors import ModelLoadError
from app.sidecar.settings import DEFAULT_MODEL, SidecarSettings


def _onnx(settings: SidecarSettings) -> Encoder:
    if settings.model != DEFAULT_MODEL:
        msg = f"The onnx backend serves {DEFAULT_MODEL} only; {settings.model} needs torch."
        raise ModelLoadError(msg)
    from app.sidecar.encoders.onnx import OnnxEncoder  # noqa: PLC0415

    return OnnxEncoder(settings)


def _torch(settings: SidecarSettings) -> Encoder:
    if find_spec("torch") is None or find_spec("sentence_transformers") is None:
        msg = f"The torch backend ({settings.model}) needs the extra `torch`."
        raise ModelLoadError(msg)
    from app.sidecar.encoders.torch import TorchEncoder  # noqa: PLC0415

    return TorchEncoder(settings)


# Imported when chosen: the default install holds no torch, and a GPU image needs no ONNX Runtime.
BACKENDS: dict[str, Callable[[SidecarSettings], Encoder]] = {"onnx": _onnx, "torch": _torch}


def backend_name(settings: SidecarSettings, *, gpus: int) -> str:
    """Return the backend that the settings ask for on a machine with so many GPUs."""
    if settings.backend != "auto":
        return settings.backend
    wants_gpu = settings.device == "cuda" or (settings.device == "auto" and gpus > 0)
    has_torch = find_spec("torch") is not None
    if settings.model != DEFAULT_MODEL or settings.device == "cuda":
        return "torch"
    return "torch" if wants_gpu and has_torch else "onnx"


def load(settings: SidecarSettings) -> Encoder:
    """Load the encoder and run it once, so that the first request finds it warm.

    Raises:
        ModelLoadError: it cannot be loaded; the message says what to do.
    """
    return BACKENDS[backend_name(settings, gpus=gpu_count())](settings)


def gpu_count() -> int:
    """Ask the NVIDIA driver for its devices; 0 where there is none. Needs no torch."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
